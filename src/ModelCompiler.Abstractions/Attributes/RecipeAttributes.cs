using ModelCompiler.Adapters;

namespace ModelCompiler;

/// <summary>Declares a partial class as a fine-tuning recipe over the architecture <typeparamref name="T"/>.</summary>
/// <typeparam name="T">A class with <see cref="TransformerAttribute"/>.</typeparam>
[AttributeUsage(AttributeTargets.Class)]
public sealed class FineTuneAttribute<T> : Attribute
    where T : class;

/// <summary>
/// How the frozen weights of a recipe are stored. Without it: <see cref="Storage.Float32"/>. A second one, with
/// <see cref="Targets"/>, overrides on those projections. Embeddings, and the head unless it is targeted, are stored in 16 bits wherever
/// another storage than Float32 is asked for; norms and biases stay in the compute type.
/// </summary>
[AttributeUsage(AttributeTargets.Class, AllowMultiple = true)]
public sealed class FrozenAttribute : Attribute
{
    /// <summary>Creates the attribute.</summary>
    /// <param name="storage">Storage of the frozen linear weights.</param>
    public FrozenAttribute(Storage storage) => Storage = storage;

    /// <summary>Storage of the frozen linear weights.</summary>
    public Storage Storage { get; }

    /// <summary>Quantized storage: elements that share a factor, a power of two from 32 to 4096; 0: 64.</summary>
    public int BlockSize { get; set; }

    /// <summary>NF4: whether the factors are quantized to 8 bits in groups of 256 (QLoRA's double quantization).</summary>
    public bool DoubleQuantized { get; set; }

    /// <summary>The projections this storage is for.</summary>
    public Projections Targets { get; set; } = Projections.All;
}

/// <summary>Base of the adapter attributes: which projections of which layers carry the adapter.</summary>
[AttributeUsage(AttributeTargets.Class, AllowMultiple = true)]
public abstract class AdapterAttribute : Attribute
{
    /// <summary>Which projections carry an adapter.</summary>
    public Projections Targets { get; set; } = Projections.All;

    /// <summary>The first layer that carries the adapter; layers below it stay as they are.</summary>
    public int FirstLayer { get; set; }

    /// <summary>The layers that carry the adapter, where they are not all from <see cref="FirstLayer"/> on: "0..2, 5, 8.."; null: these.</summary>
    public string? Layers { get; set; }
}

/// <summary>
/// Low-rank adapters: y = W x + s · B A dropout(x) with s = alpha / rank (Hu et al. 2021, section 4.1), or alpha / sqrt(rank)
/// when rank-stabilized (Kalajdzievski 2023).
/// </summary>
[AttributeUsage(AttributeTargets.Class, AllowMultiple = true)]
public sealed class LoraAttribute : AdapterAttribute
{
    private static readonly LoraOptions s_defaults = new();

    /// <summary>Rank r of the adapters: A is [r, in], B is [out, r].</summary>
    public int Rank { get; set; } = s_defaults.Rank;

    /// <inheritdoc cref="AdapterOptions.Alpha"/>
    public float Alpha { get; set; } = s_defaults.Alpha;

    /// <inheritdoc cref="AdapterOptions.Dropout"/>
    public float Dropout { get; set; } = s_defaults.Dropout;

    /// <inheritdoc cref="LoraOptions.RankStabilized"/>
    public bool RankStabilized { get; set; } = s_defaults.RankStabilized;

    /// <inheritdoc cref="LoraOptions.Initialization"/>
    public LoraInitialization Initialization { get; set; } = s_defaults.Initialization;

    /// <inheritdoc cref="LoraOptions.Iterations"/>
    public int Iterations { get; set; } = s_defaults.Iterations;
}

/// <summary>
/// Low-rank adapters of directions beside trained magnitudes (Liu et al. 2024, "DoRA", sections 4.1 and 4.3): y = m / ‖W + s · B A‖ ∘ (W x + s · B A dropout(x)),
/// m and the norm of each output's weights one number each, m from ‖W‖ on, and the norm a constant to backward. All adapters of a recipe are DoRA or none is.
/// PEFT drops elements of W's input too where an adapter has dropout, which is a second product with W; here, of the adapter's input alone.
/// </summary>
[AttributeUsage(AttributeTargets.Class, AllowMultiple = true)]
public sealed class DoraAttribute : AdapterAttribute
{
    private static readonly DoraOptions s_defaults = new();

    /// <summary>Rank r of the adapters: A is [r, in], B is [out, r].</summary>
    public int Rank { get; set; } = s_defaults.Rank;

    /// <inheritdoc cref="AdapterOptions.Alpha"/>
    public float Alpha { get; set; } = s_defaults.Alpha;

    /// <inheritdoc cref="AdapterOptions.Dropout"/>
    public float Dropout { get; set; } = s_defaults.Dropout;

    /// <inheritdoc cref="DoraOptions.RankStabilized"/>
    public bool RankStabilized { get; set; } = s_defaults.RankStabilized;
}

/// <summary>
/// Adapters of every rank up to a maximum from one run (Valipour et al. 2023, "DyLoRA", section 3): each optimizer step draws a rank b and trains
/// y = W x + alpha / b · B[:, :b] A[:b] dropout(x). Over quantized weights this is QDyLoRA (Rajabzadeh et al. 2024). Rows and columns that a step does
/// not touch keep their values and moments.
/// </summary>
[AttributeUsage(AttributeTargets.Class, AllowMultiple = true)]
public sealed class DyLoraAttribute : AdapterAttribute
{
    private static readonly DyLoraOptions s_defaults = new();

    /// <summary>The maximum rank R: A is [R, in], B is [out, R].</summary>
    public int Rank { get; set; } = s_defaults.Rank;

    /// <summary>Numerator of the scale alpha / b; 0: equal to the maximum rank.</summary>
    public float Alpha { get; set; } = s_defaults.Alpha;

    /// <inheritdoc cref="DyLoraOptions.RankStabilized"/>
    public bool RankStabilized { get; set; } = s_defaults.RankStabilized;

    /// <inheritdoc cref="AdapterOptions.Dropout"/>
    public float Dropout { get; set; } = s_defaults.Dropout;

    /// <inheritdoc cref="DyLoraOptions.Draw"/>
    public RankDraw Draw { get; set; } = s_defaults.Draw;

    /// <inheritdoc cref="DyLoraOptions.FullRankShare"/>
    public double FullRankShare { get; set; } = s_defaults.FullRankShare;

    /// <inheritdoc cref="DyLoraOptions.LastOnly"/>
    public bool LastOnly { get; set; } = s_defaults.LastOnly;
}

/// <summary>
/// QA-LoRA adapters: y = W x + s · B A dropout(p) with s = alpha / rank and p the means of groups of inputs (Xu et al. 2023, section 3.3).
/// Over <see cref="Storage.Int4"/> in blocks that divide the groups, a trained adapter merges into the zero points exactly, and the
/// merged weights are still Int4. It keeps p for backward where LoRA keeps x, a group size smaller.
/// </summary>
[AttributeUsage(AttributeTargets.Class, AllowMultiple = true)]
public sealed class QaLoraAttribute : AdapterAttribute
{
    private static readonly QaLoraOptions s_defaults = new();

    /// <summary>Rank r of the adapters, at most the number of groups: A is [r, in / group size], B is [out, r].</summary>
    public int Rank { get; set; } = s_defaults.Rank;

    /// <inheritdoc cref="AdapterOptions.Alpha"/>
    public float Alpha { get; set; } = s_defaults.Alpha;

    /// <summary>Probability with which a group's mean is dropped in training.</summary>
    public float Dropout { get; set; } = s_defaults.Dropout;

    /// <inheritdoc cref="QaLoraOptions.GroupSize"/>
    public int GroupSize { get; set; } = s_defaults.GroupSize;
}

/// <summary>
/// LaMDA (Azizi et al. 2024): y = W x + s · B S A dropout(x) with s = alpha / rank. A is never trained, S always; the columns of B are
/// frozen one after the other over the first part of training. x need not be kept for the adapter, and after the freezing each
/// projection trains r² parameters.
/// </summary>
[AttributeUsage(AttributeTargets.Class, AllowMultiple = true)]
public sealed class LamdaAttribute : AdapterAttribute
{
    private static readonly LamdaOptions s_defaults = new();

    /// <summary>Rank r of the adapters: A is [r, in], S is [r, r], B is [out, r].</summary>
    public int Rank { get; set; } = s_defaults.Rank;

    /// <inheritdoc cref="AdapterOptions.Alpha"/>
    public float Alpha { get; set; } = s_defaults.Alpha;

    /// <inheritdoc cref="AdapterOptions.Dropout"/>
    public float Dropout { get; set; } = s_defaults.Dropout;

    /// <inheritdoc cref="LamdaOptions.FreezeUntil"/>
    public double FreezeUntil { get; set; } = s_defaults.FreezeUntil;

    /// <inheritdoc cref="LamdaOptions.Initialization"/>
    public LamdaInitialization Initialization { get; set; } = s_defaults.Initialization;
}

/// <summary>
/// LaMDA++: <see cref="LamdaAttribute"/> with a rank of its own for every adapter, chosen before training from the spectra of the base's weights
/// (Azizi et al. 2024). The paper's abstract says that much; the rule is our own reconstruction: of the layers of a projection the quarter
/// with the flattest spectra gets twice the rank and the half with the steepest half of it, within the parameters of a uniform rank.
/// </summary>
/// <remarks>Until ranks are chosen every adapter has the declared one, and memory is planned for that; see <c>RankChoice.FromBase</c>.</remarks>
[AttributeUsage(AttributeTargets.Class, AllowMultiple = true)]
public sealed class LamdaPlusPlusAttribute : AdapterAttribute
{
    private static readonly LamdaPlusPlusOptions s_defaults = new();

    /// <summary>The uniform rank r whose trainable parameters each projection's adapters share out between the layers, from r/2 to 2 r.</summary>
    public int Rank { get; set; } = s_defaults.Rank;

    /// <summary>Numerator of the scale, alpha / rank of the adapter; 0: equal to r.</summary>
    public float Alpha { get; set; } = s_defaults.Alpha;

    /// <inheritdoc cref="AdapterOptions.Dropout"/>
    public float Dropout { get; set; } = s_defaults.Dropout;

    /// <inheritdoc cref="LamdaOptions.FreezeUntil"/>
    public double FreezeUntil { get; set; } = s_defaults.FreezeUntil;

    /// <inheritdoc cref="LamdaOptions.Initialization"/>
    public LamdaInitialization Initialization { get; set; } = s_defaults.Initialization;
}
