using ModelCompiler.Backends;
using ModelCompiler.Cuda.Compilation;
using ModelCompiler.Planning;
using ModelCompiler.Quantization;
using ModelCompiler.Tensors;

namespace ModelCompiler.Cuda.Tests.Emulation;

/// <summary>The operations that have CUDA kernels, run by <see cref="HostKernels"/> over an arena in host memory, with blocks of 64 threads.</summary>
internal sealed unsafe class EmulatedBackend() : HostBackend(BackendProfile.Cpu(1)), IBackend
{
    private const int Threads = 64;

    private readonly Dictionary<KernelTypes, HostKernels> kernels = [];
    private readonly KernelArguments arguments = new();
    private readonly float[] signedMap = GC.AllocateUninitializedArray<float>(256, pinned: true);
    private readonly float[] unsignedMap = GC.AllocateUninitializedArray<float>(256, pinned: true);
    private Tensor scratch;

    /// <summary>Whether the threads of a block run from the last to the first.</summary>
    public bool Backwards { get; set; }

    /// <summary>The type of activations that kernels are compiled for.</summary>
    public DType Activation { get; set; } = DType.Float32;

    public void UseWorkspace(long offset, long bytes) => scratch = new Tensor(offset, 1, checked((int)bytes), checked((int)bytes), DType.UInt8);

    public override void Dispose()
    {
        foreach (HostKernels compiled in kernels.Values)
        {
            compiled.Dispose();
        }

        base.Dispose();
    }

    public void Embedding(Tensor ids, Tensor table, Tensor y, float scale = 1) =>
        ForRows("embedding", y.Rows, Pack(ids, table, y).Add(table.Rows).Add(y.Columns).Add(scale), table.Type);

    public void EmbeddingGradient(Tensor dy, Tensor ids, Tensor gradient, float scale = 1) => Launch(
        "embedding_gradient", gradient.IsNone ? 0 : dy.Rows, 1, Pack(dy, ids, gradient).Add(dy.Rows).Add(gradient.Rows).Add(dy.Columns).Add(scale));

    public void LearnedPositions(Tensor x, Tensor table, Tensor y)
    {
        StepBlock step = CurrentStep();
        ForRows("learned_positions", y.Rows, Pack(x, table, y).Add((nint)(&step)).Add(y.Columns), table.Type);
    }

    public void LearnedPositionsGradient(Tensor dy, Tensor gradient)
    {
        StepBlock step = CurrentStep();
        ForRows("learned_positions_gradient", gradient.IsNone ? 0 : Step.Sequence, Pack(dy, gradient).Add((nint)(&step)).Add(dy.Columns));
    }

    public void RmsNorm(Tensor x, Tensor w, Tensor y, Tensor rstd, float epsilon) =>
        Launch("rms_norm", x.Rows, 1, Pack(x, w, y, rstd).Add(x.Columns).Add(epsilon), w.Type);

    public void RmsNormGradient(Tensor dy, Tensor x, Tensor w, Tensor rstd, Tensor dx, Tensor plus = default) =>
        Launch("rms_norm_gradient", dx.Rows, 1, Pack(dy, x, w, rstd, dx, plus).Add(dx.Columns), w.Type);

    public void RmsNormGradientWeight(Tensor dy, Tensor x, Tensor rstd, Tensor dw) =>
        ColumnSums("rms_norm_gradient_weight", dw, Pack(dy, x, rstd, dw).Add(dy.Rows).Add(dy.Columns));

    public void LayerNorm(Tensor x, Tensor w, Tensor b, Tensor y, Tensor statistics, float epsilon) =>
        Launch("layer_norm", x.Rows, 1, Pack(x, w, b, y, statistics).Add(x.Columns).Add(epsilon), w.Type);

    public void LayerNormGradient(Tensor dy, Tensor x, Tensor w, Tensor statistics, Tensor dx, Tensor plus = default) =>
        Launch("layer_norm_gradient", dx.Rows, 1, Pack(dy, x, w, statistics, dx, plus).Add(dx.Columns), w.Type);

    public void LayerNormGradientWeight(Tensor dy, Tensor x, Tensor statistics, Tensor dw) =>
        ColumnSums("layer_norm_gradient_weight", dw, Pack(dy, x, statistics, dw).Add(dy.Rows).Add(dy.Columns));

    public void Rotary(Tensor x, Tensor y, int headWidth, int rotaryWidth, float theta) => Rotate(x, y, headWidth, rotaryWidth, theta, 1);

    public void RotaryGradient(Tensor dy, Tensor dx, int headWidth, int rotaryWidth, float theta) => Rotate(dy, dx, headWidth, rotaryWidth, theta, -1);

    public void SwiGlu(Tensor gate, Tensor up, Tensor h) => ForRows("swiglu", h.Rows, Pack(gate, up, h).Add(h.Columns));

    public void SwiGluGradient(Tensor dh, Tensor gate, Tensor up, Tensor dGate, Tensor dUp, Tensor h = default) =>
        ForRows("swiglu_gradient", dh.Rows, Pack(dh, gate, up, dGate, dUp, h).Add(dh.Columns));

    public void GeGlu(Tensor gate, Tensor up, Tensor h) => ForRows("geglu", h.Rows, Pack(gate, up, h).Add(h.Columns));

    public void GeGluGradient(Tensor dh, Tensor gate, Tensor up, Tensor dGate, Tensor dUp, Tensor h = default) =>
        ForRows("geglu_gradient", dh.Rows, Pack(dh, gate, up, dGate, dUp, h).Add(dh.Columns));

    public void Gelu(Tensor x, Tensor y) => ForRows("gelu", y.Rows, Pack(x, y).Add(y.Columns));

    public void GeluGradient(Tensor dy, Tensor x, Tensor dx) => ForRows("gelu_gradient", dx.Rows, Pack(dy, x, dx).Add(dx.Columns));

    public void Add(Tensor a, Tensor b, Tensor y) => ForRows("add", y.Rows, Pack(a, b, y).Add(y.Columns));

    public void Gate(Tensor x, Tensor g, Tensor y, Tensor plus = default) => ForRows("gate", y.Rows, Pack(x, g, y, plus).Add(y.Columns), g.Type);

    public void GateGradientWeight(Tensor dy, Tensor x, Tensor dg) =>
        ColumnSums("gate_gradient_weight", dg, Pack(dy, x, dg).Add(dy.Rows).Add(dy.Columns));

    public void GroupMean(Tensor x, Tensor y) => ForRows("group_mean", y.Rows, Pack(x, y).Add(y.Columns).Add(x.Columns / Math.Max(y.Columns, 1)));

    public void GroupMeanGradient(Tensor dy, Tensor dx, Tensor plus = default) =>
        ForRows("group_mean_gradient", dx.Rows, Pack(dy, dx, plus).Add(dx.Columns).Add(dx.Columns / dy.Columns));

    public void Dropout(Tensor x, Tensor y, float rate, ulong key, int firstRow = 0)
    {
        StepBlock step = CurrentStep();
        ulong slot = Unmix(key) - step.Seed;
        ForRows(
            "dropout",
            y.Rows,
            Pack(x, y).Add((nint)(&step)).Add(slot).Add(firstRow).Add(y.Columns).Add(DropoutMask.Threshold(rate)).Add((float)(1 / (1 - (double)rate))));
    }

    public void SoftCap(Tensor x, Tensor y, float cap) => ForRows("soft_cap", y.Rows, Pack(x, y).Add(y.Columns).Add(cap));

    public void SoftCapGradient(Tensor dy, Tensor y, Tensor dx, float cap) => ForRows("soft_cap_gradient", dx.Rows, Pack(dy, y, dx).Add(dx.Columns).Add(cap));

    public void CrossEntropy(Tensor logits, Tensor targets, Tensor logSumExp, Tensor loss)
    {
        Tensor normalisers = logSumExp.IsNone ? scratch with { Rows = logits.Rows, Columns = 1, Stride = 1, Type = DType.Float32 } : logSumExp;
        Launch("cross_entropy_rows", logits.Rows, 1, Pack(logits, normalisers).Add(logits.Columns));
        if (!loss.IsNone)
        {
            Launch("cross_entropy_loss", 1, 1, Pack(logits, targets, normalisers).Add(Address(loss)).Add(logits.Rows));
        }
    }

    public void CrossEntropyGradient(Tensor logits, Tensor targets, Tensor logSumExp, Tensor dLogits)
    {
        StepBlock step = CurrentStep();
        ForRows("cross_entropy_gradient", dLogits.Rows, Pack(logits, targets, logSumExp, dLogits).Add((nint)(&step)).Add(logits.Columns));
    }

    public void SquaredNorm(Tensor x, Tensor sum)
    {
        int blocks = Math.Min(x.Rows, 7);
        Launch("squared_norm_parts", sum.IsNone ? 0 : blocks, 1, Pack(x).Add(Address(scratch)).Add(x.Rows).Add(x.Columns));
        Launch("squared_norm_sum", sum.IsNone ? 0 : 1, 1, Pack().Add(Address(scratch)).Add(Address(sum)).Add(blocks));
    }

    public void AdamW(Tensor w, Tensor g, Tensor m, Tensor v, in AdamWStep step)
    {
        var scalars = new AdamBlock(step, lasso: 0);
        ForRows("adamw", w.Rows, Pack(w, g, m, v).Add((nint)(&scalars)).Add(w.Columns));
    }

    public void AdamE(Tensor w, Tensor g, Tensor m, Tensor v, in AdamWStep step, double lasso)
    {
        var scalars = new AdamBlock(step, lasso);
        ForRows("adame", w.Rows, Pack(w, g, m, v).Add((nint)(&scalars)).Add(w.Columns));
    }

    public void AdamW8Bit(Tensor w, Tensor g, Tensor m, Tensor v, Tensor mScales, Tensor vScales, in AdamWStep step)
    {
        var scalars = new AdamBlock(step, lasso: 0);
        DynamicMap.Signed.Values.CopyTo(signedMap);
        DynamicMap.Unsigned.Values.CopyTo(unsignedMap);
        KernelArguments packed = Pack().Add(Address(w)).Add(Address(g)).Add(Address(m)).Add(Address(v)).Add(Address(mScales)).Add(Address(vScales));
        fixed (float* signed = signedMap, unsigned = unsignedMap)
        {
            packed.Add((nint)signed).Add((nint)unsigned).Add((nint)(&scalars)).Add(w.Count);
            Run("adamw_8bit", new LaunchGeometry(MomentBlock.Count(w.Count), BlockX: MomentBlock.Elements), packed);
        }
    }

    /// <summary>The decoded elements of an NF4 weight, one after the other.</summary>
    public void Dequantize(Tensor weight, Tensor y)
    {
        StorageLayout layout = StorageLayout.Of(weight.Type, weight.Rows, weight.Columns);
        nint codes = Address(weight);
        DynamicMap.Signed.Values.CopyTo(signedMap);
        fixed (float* map = signedMap)
        {
            KernelArguments packed = Pack().Add(codes).Add(codes + (nint)layout.Factors)
                .Add(weight.Type.IsNested() ? codes + (nint)layout.Nested : 0).Add(weight.Type.IsNested() ? codes + (nint)layout.Mean : 0)
                .Add((nint)map).Add(Address(y)).Add(weight.Count).Add(int.Log2(weight.Type.BlockSize()));
            Launch("nf4_dequantize", (int)((weight.Count + 8 * Threads - 1) / (8 * Threads)), 1, packed);
        }
    }

    public void Copy(Tensor source, Tensor destination)
    {
        switch (source.Type, destination.Type)
        {
            case (DType.Float32, DType.BFloat16): ForRows("copy_narrow", source.Rows, Pack(source, destination).Add(source.Columns)); break;
            case (DType.BFloat16, DType.Float32): ForRows("copy_widen", source.Rows, Pack(source, destination).Add(source.Columns)); break;
            default:
                long size = source.Type.Size();
                KernelArguments packed = Pack().Add(Address(source)).Add(source.Stride * size).Add(Address(destination)).Add(destination.Stride * size);
                ForRows("copy", source.Rows, packed.Add(source.Columns * size));
                break;
        }
    }

    public void Linear(Tensor x, Tensor w, Tensor y, Tensor bias = default, Tensor plus = default, float scale = 1) => throw NoKernel();

    public void LinearGradientInput(Tensor dy, Tensor w, Tensor dx, Tensor plus = default, float scale = 1) => throw NoKernel();

    public void LinearGradientWeight(Tensor dy, Tensor x, Tensor dw, float scale = 1) => throw NoKernel();

    public void LinearGradientBias(Tensor dy, Tensor db, float scale = 1) =>
        ColumnSums("linear_gradient_bias", db, Pack(dy, db).Add(dy.Rows).Add(dy.Columns).Add(scale));

    public void LowRankLinear(Tensor x, Tensor w, Tensor h, Tensor b, Tensor y, float scale, Tensor bias = default, Tensor plus = default) => throw NoKernel();

    public void LowRankLinearGradientInput(Tensor dy, Tensor w, Tensor e, Tensor a, Tensor dx, Tensor plus = default) => throw NoKernel();

    public void Attention(Tensor q, Tensor k, Tensor v, Tensor o, Tensor logSumExp, int heads, int keyValueHeads) => throw NoKernel();

    public void AttentionGradient(
        Tensor dO, Tensor q, Tensor k, Tensor v, Tensor o, Tensor logSumExp, Tensor dq, Tensor dk, Tensor dv, int heads, int keyValueHeads) => throw NoKernel();

    public void CachedAttention(Tensor q, Tensor k, Tensor v, Tensor keyCache, Tensor valueCache, Tensor o, int heads, int keyValueHeads) => throw NoKernel();

    public void InverseRowNorm(Tensor squares, Tensor b, Tensor inner, Tensor gram, Tensor inverse, float scale = 1) => Launch(
        "inverse_row_norm",
        (inverse.Columns + Threads / 32 - 1) / (Threads / 32),
        1,
        Pack(squares, b, inner, gram, inverse).Add(inverse.Columns).Add(b.Columns).Add(scale),
        b.Type);

    public void Magnitude(Tensor z, Tensor m, Tensor inverse, Tensor y, Tensor bias = default, Tensor plus = default) =>
        ForRows("apply_magnitude", y.Rows, Pack(z, m, inverse, y, bias, plus).Add(y.Columns), m.Type);

    public void MagnitudeGradient(Tensor dy, Tensor z, Tensor inverse, Tensor dm) =>
        ColumnSums("magnitude_gradient", dm, Pack(dy, z, inverse, dm).Add(dy.Rows).Add(dy.Columns));

    public void ShrinkGates(Tensor c, double threshold) => ForRows("shrink_gates", c.Rows, Pack(c).Add(c.Columns).Add((float)threshold));

    public void RowProducts(Tensor a, Tensor b, Tensor sums) => Launch("row_products", sums.IsNone ? 0 : a.Rows, 1, Pack(a, b, sums).Add(a.Columns));

    public void Importance(Tensor w, Tensor g, Tensor sensitivity, Tensor uncertainty, float beta1, float beta2) => ForRows(
        "importance",
        w.Rows,
        Pack(w, g, sensitivity, uncertainty).Add(w.Columns).Add(beta1).Add((float)(1 - (double)beta1)).Add(beta2).Add((float)(1 - (double)beta2)));

    /// <summary>y = scale · (x + bias) + plus; x, bias and plus may be none.</summary>
    public void AddBias(Tensor x, Tensor bias, Tensor y, Tensor plus, float scale) =>
        ForRows("add_bias", y.Rows, Pack(x, bias, y, plus).Add(y.Columns).Add(scale), bias.IsNone ? null : bias.Type);

    private static NotSupportedException NoKernel() => new("This operation has no CUDA kernel yet.");

    /// <summary>The inverse of the finaliser that makes a key of a seed.</summary>
    private static ulong Unmix(ulong z)
    {
        z ^= z >> 31 ^ z >> 62;
        z *= 0x319642B2D24D8EC3UL;
        z ^= z >> 27 ^ z >> 54;
        z *= 0x96DE1B173F119089UL;
        return z ^ z >> 30 ^ z >> 60;
    }

    private void Rotate(Tensor x, Tensor y, int headWidth, int rotaryWidth, float theta, float direction)
    {
        int positions = Step.Position + Step.Sequence;
        int half = rotaryWidth / 2;
        var table = new float[positions * rotaryWidth];
        for (int i = 0; i < positions * half; i++)
        {
            (double sin, double cos) = Math.SinCos(i / half * Math.Pow(theta, -2.0 * (i % half) / rotaryWidth));
            table[i / half * rotaryWidth + i % half] = (float)cos;
            table[i / half * rotaryWidth + half + i % half] = (float)sin;
        }

        StepBlock step = CurrentStep();
        fixed (float* values = table)
        {
            ForRows(
                "rotary",
                y.Rows,
                Pack(x, y).Add((nint)values).Add((nint)(&step)).Add(y.Columns / headWidth).Add(headWidth).Add(rotaryWidth).Add(direction));
        }
    }

    private StepBlock CurrentStep() => new((float)Step.LossScale, Step.Batch, Step.Sequence, Step.Position, Step.Seed);

    private nint Address(Tensor tensor) => (nint)Arena.At(tensor);

    /// <summary>Address and stride of each.</summary>
    private KernelArguments Pack(params ReadOnlySpan<Tensor> tensors)
    {
        arguments.Clear();
        foreach (Tensor tensor in tensors)
        {
            arguments.Add(Address(tensor)).Add((long)tensor.Stride);
        }

        return arguments;
    }

    /// <summary>One block along x for each row, two along y that share its columns.</summary>
    private void ForRows(string kernel, int rows, KernelArguments packed, DType? weight = null) => Launch(kernel, rows, 2, packed, weight);

    private void ColumnSums(string kernel, Tensor sums, KernelArguments packed) => Launch(kernel, (sums.Columns + 31) / 32, 1, packed);

    private void Launch(string kernel, int gridX, int gridY, KernelArguments packed, DType? weight = null)
    {
        if (gridX > 0)
        {
            Run(kernel, new LaunchGeometry(gridX, gridY, BlockX: Threads), packed, weight);
        }
    }

    private void Run(string kernel, in LaunchGeometry geometry, KernelArguments packed, DType? weight = null)
    {
        var types = new KernelTypes(Activation, weight ?? Activation);
        if (!kernels.TryGetValue(types, out HostKernels? compiled))
        {
            kernels[types] = compiled = new HostKernels(types);
        }

        compiled.Backwards = Backwards;
        compiled.Launch(compiled.Function(kernel), geometry, packed.Bytes);
    }

    /// <summary>Step of rows.cuh.</summary>
    private readonly record struct StepBlock(float LossScale, int Batch, int Sequence, int Position, ulong Seed);

    /// <summary>AdamScalars of adam.cuh.</summary>
    private readonly struct AdamBlock(AdamWStep step, double lasso)
    {
        public readonly float Beta1 = (float)step.Beta1;
        public readonly float Beta2 = (float)step.Beta2;
        public readonly float ScaleOfFirst = (float)((1 - step.Beta1) * step.GradientScale);
        public readonly float ScaleOfSecond = (float)((1 - step.Beta2) * step.GradientScale * step.GradientScale);
        public readonly float Rate = (float)(step.Rate / (1 - Math.Pow(step.Beta1, step.Count)));
        public readonly float Root = (float)(1 / Math.Sqrt(1 - Math.Pow(step.Beta2, step.Count)));
        public readonly float Epsilon = (float)step.Epsilon;
        public readonly float Decay = (float)(step.Rate * step.Decay);
        public readonly float Lasso = (float)(step.Rate * lasso);
    }
}
