using System.Runtime.CompilerServices;
using ModelCompiler.Backends.Cpu.Vectors;
using ModelCompiler.Planning;
using ModelCompiler.Quantization;
using ModelCompiler.Tensors;

namespace ModelCompiler.Backends.Cpu;

public sealed unsafe partial class CpuBackend
{
    /// <inheritdoc/>
    public void AdamW8Bit(Tensor w, Tensor g, Tensor m, Tensor v, Tensor mScales, Tensor vScales, in AdamWStep step)
    {
        RequireContiguous(w, g, m, v, mScales, vScales);
        var blocks = new AdamW8BitBlocks
        {
            W = Floats(w),
            G = Floats(g),
            M = Codes(m),
            V = Codes(v),
            MScales = Floats(mScales),
            VScales = Floats(vScales),
            Count = w.Count,
            Scalars = new AdamWScalars(step),
        };
        ForEachRow(blocks, MomentBlock.Count(w.Count), MomentBlock.Elements);
    }

    private static void RequireContiguous(params ReadOnlySpan<Tensor> tensors)
    {
        foreach (Tensor tensor in tensors)
        {
            if (!IsContiguous(tensor))
            {
                throw new ArgumentException($"{tensor} has gaps between its rows; blocks of 8-bit moments run across rows.");
            }
        }
    }

    /// <summary>One block at a time: its moments are floats in two buffers of a thread's stack between decoding and encoding.</summary>
    private struct AdamW8BitBlocks : IRowKernel
    {
        public float* W, G, MScales, VScales;
        public byte* M, V;
        public long Count;
        public AdamWScalars Scalars;

        [MethodImpl(MethodImplOptions.NoInlining)]
        public readonly void Row(int block)
        {
            nint first = (nint)block * MomentBlock.Elements;
            int length = (int)Math.Min(MomentBlock.Elements, Count - first);
            float* m = stackalloc float[MomentBlock.Elements];
            float* v = stackalloc float[MomentBlock.Elements];
            float* magnitudes = stackalloc float[MomentBlock.Elements];
            Decode(DynamicMap.Signed, M + first, MScales[block], m, length);
            Decode(DynamicMap.Unsigned, V + first, VScales[block], v, length);
            Columns.Each(new Place { W = W + first, G = G + first, M = m, V = v, Magnitudes = magnitudes, Scalars = Scalars }, length);
            MScales[block] = Normalize(m, magnitudes, length);
            VScales[block] = Normalize(v, v, length);
            EncodeFirst(m, M + first, length);
            EncodeSecond(v, V + first, length);
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static void Decode(DynamicMap map, byte* codes, float scale, float* values, int length)
        {
            ReadOnlySpan<float> table = map.Values;
            for (int i = 0; i < length; i++)
            {
                values[i] = table[codes[i]] * scale;
            }
        }

        /// <summary>Divides by the greatest magnitude and returns it; a block of zeros stays.</summary>
        private static float Normalize(float* values, float* magnitudes, int length)
        {
            float scale = Columns.Max(magnitudes, length);
            if (scale > 0)
            {
                Columns.Each(new Quotient { Values = values, Divisor = scale }, length);
            }

            return scale;
        }

        /// <summary>A negative value next to 0 keeps its sign, else what is left of m would only ever decay.</summary>
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static void EncodeFirst(float* values, byte* codes, int length)
        {
            DynamicMap map = DynamicMap.Signed;
            byte zero = map.Encode(0);
            for (int i = 0; i < length; i++)
            {
                byte code = map.Encode(values[i]);
                codes[i] = (byte)(code - (code == zero & values[i] < 0 ? 1 : 0));
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static void EncodeSecond(float* values, byte* codes, int length)
        {
            DynamicMap map = DynamicMap.Unsigned;
            for (int i = 0; i < length; i++)
            {
                codes[i] = map.Encode(values[i]);
            }
        }

        private struct Place : IColumnAction
        {
            public float* W, G, M, V, Magnitudes;
            public AdamWScalars Scalars;

            [MethodImpl(MethodImplOptions.AggressiveInlining)]
            public readonly void At<T>(int i)
                where T : unmanaged, ILanes<T>
            {
                T g = T.Load(G + i);
                T w = T.Load(W + i);
                T m = Scalars.First(T.Load(M + i), g);
                T v = Scalars.Second(T.Load(V + i), g);

                // Infinite and NaN gradients make v so, and no comparison holds for a NaN.
                T infinity = T.Of(float.PositiveInfinity);
                T.WhereLess(v, infinity, Scalars.Weight(w, m, v), w).Store(W + i);
                m = T.WhereLess(v, infinity, m, default);
                m.Store(M + i);
                T.Abs(m).Store(Magnitudes + i);
                T.WhereLess(v, infinity, v, default).Store(V + i);
            }
        }

        private struct Quotient : IColumnAction
        {
            public float* Values;
            public float Divisor;

            [MethodImpl(MethodImplOptions.AggressiveInlining)]
            public readonly void At<T>(int i)
                where T : unmanaged, ILanes<T> => (T.Load(Values + i) / T.Of(Divisor)).Store(Values + i);
        }
    }
}
