using System.Runtime.InteropServices;
using ModelCompiler.Backends;
using ModelCompiler.Operations;
using ModelCompiler.Planning;
using ModelCompiler.Quantization;

namespace ModelCompiler.Cuda;

/// <content>What kernels find at fixed addresses at the start of the workspace, where a captured graph reads it anew in every step.</content>
public sealed unsafe partial class CudaBackend
{
    private const long StepAt = 0;
    private const long AdamAt = 64;
    private const long SignedMapAt = 1 << 10;
    private const long UnsignedMapAt = 2 << 10;
    private const long NormPartsAt = 4 << 10;
    private const long FrequenciesAt = 16 << 10;

    /// <summary>Room for the parts of a norm.</summary>
    private const int NormParts = (int)(FrequenciesAt - NormPartsAt) / sizeof(double);

    private readonly Dictionary<RotaryShape, long> _frequencies = [];
    private AdamBlock _adam;

    /// <summary>Step of rows.cuh.</summary>
    private readonly record struct StepBlock(float LossScale, int Batch, int Sequence, int Position, ulong Seed);

    /// <summary>AdamScalars of adam.cuh.</summary>
    private readonly record struct AdamBlock
    {
        public AdamBlock(in AdamWStep step, double lasso)
        {
            Beta1 = (float)step.Beta1;
            Beta2 = (float)step.Beta2;
            ScaleOfFirst = (float)((1 - step.Beta1) * step.GradientScale);
            ScaleOfSecond = (float)((1 - step.Beta2) * step.GradientScale * step.GradientScale);
            Rate = (float)(step.LearningRate / (1 - Math.Pow(step.Beta1, step.Count)));
            Root = (float)(1 / Math.Sqrt(1 - Math.Pow(step.Beta2, step.Count)));
            Epsilon = (float)step.Epsilon;
            Decay = (float)(step.LearningRate * step.WeightDecay);
            Lasso = (float)(step.LearningRate * lasso);
        }

        public float Beta1 { get; }

        public float Beta2 { get; }

        public float ScaleOfFirst { get; }

        public float ScaleOfSecond { get; }

        public float Rate { get; }

        public float Root { get; }

        public float Epsilon { get; }

        public float Decay { get; }

        public float Lasso { get; }
    }

    private nint Constant(long at) => Arena.Address(_workspace.Offset + at);

    private void WriteConstants()
    {
        if (_workspace.Bytes < BackendProfile.CudaConstants + BackendProfile.CudaProducts)
        {
            throw new InvalidOperationException($"A workspace of {_workspace.Bytes} bytes is too small: the plan was made for another backend.");
        }

        WriteConstant(SignedMapAt, MemoryMarshal.AsBytes(DynamicMap.Signed.Values));
        WriteConstant(UnsignedMapAt, MemoryMarshal.AsBytes(DynamicMap.Unsigned.Values));
        _frequencies.Clear();
        _adam = default;
        WriteStep();
    }

    private void WriteStep()
    {
        var block = new StepBlock((float)_step.LossScale, _step.Batch, _step.Sequence, _step.Position, _step.Seed);
        WriteConstant(StepAt, BytesOf(block));
    }

    /// <summary>The address of an update's scalars. All parameters of a step mostly have the same, which are then written once.</summary>
    private nint Scalars(in AdamWStep step, double lasso = 0)
    {
        var block = new AdamBlock(step, lasso);
        if (block != _adam)
        {
            _adam = block;
            WriteConstant(AdamAt, BytesOf(block));
        }

        return Constant(AdamAt);
    }

    /// <summary>The address of the frequencies of i below half the rotating width, as doubles.</summary>
    /// <exception cref="InvalidOperationException">The model has more kinds of rotary positions than there is room for.</exception>
    private nint Frequencies(RotaryShape shape)
    {
        if (!_frequencies.TryGetValue(shape, out long at))
        {
            at = _frequencies.Count == 0 ? FrequenciesAt : _frequencies.Max(f => f.Value + f.Key.Width / 2 * sizeof(double));
            double[] values = [.. Enumerable.Range(0, shape.Width / 2).Select(shape.Frequency)];
            if (at + values.Length * sizeof(double) > BackendProfile.CudaConstants)
            {
                throw new InvalidOperationException($"{_frequencies.Count} kinds of rotary positions leave no room for another.");
            }

            WriteConstant(at, MemoryMarshal.AsBytes(values.AsSpan()));
            _frequencies.Add(shape, at);
        }

        return Constant(at);
    }

    private void WriteConstant(long at, ReadOnlySpan<byte> bytes) => Stage(bytes, _workspace.Offset + at);
}
