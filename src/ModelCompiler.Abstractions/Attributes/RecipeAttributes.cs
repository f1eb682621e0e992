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
}

/// <summary>
/// Low-rank adapters: y = W x + s · B A dropout(x) with s = alpha / rank (Hu et al. 2021, section 4.1), or alpha / sqrt(rank)
/// when rank-stabilised (Kalajdzievski 2023).
/// </summary>
[AttributeUsage(AttributeTargets.Class, AllowMultiple = true)]
public sealed class LoraAttribute : AdapterAttribute
{
    /// <summary>Rank r of the adapters: A is [r, in], B is [out, r].</summary>
    public int Rank { get; set; } = 8;

    /// <summary>Numerator of the scale s; 0: equal to the rank, so s = 1.</summary>
    public float Alpha { get; set; }

    /// <summary>Probability with which an element of the adapter's input is dropped in training.</summary>
    public float Dropout { get; set; }

    /// <summary>Whether s = alpha / sqrt(rank) (rsLoRA).</summary>
    public bool RankStabilized { get; set; }

    /// <summary>The start values.</summary>
    public LoraInitialization Initialization { get; set; }

    /// <summary><see cref="LoraInitialization.Loftq"/>: how often weight and adapter are fitted to what the other leaves.</summary>
    public int Iterations { get; set; } = 1;
}

/// <summary>
/// Low-rank adapters of directions beside trained magnitudes (Liu et al. 2024, "DoRA", sections 4.1 and 4.3): y = m / ‖W + s · B A‖ ∘ (W x + s · B A dropout(x)),
/// m and the norm of each output's weights one number each, m from ‖W‖ on, and the norm a constant to backward. All adapters of a recipe are DoRA or none is.
/// PEFT drops elements of W's input too where an adapter has dropout, which is a second product with W; here, of the adapter's input alone.
/// </summary>
[AttributeUsage(AttributeTargets.Class, AllowMultiple = true)]
public sealed class DoraAttribute : AdapterAttribute
{
    /// <summary>Rank r of the adapters: A is [r, in], B is [out, r].</summary>
    public int Rank { get; set; } = 8;

    /// <summary>Numerator of the scale s; 0: equal to the rank, so s = 1.</summary>
    public float Alpha { get; set; }

    /// <summary>Probability with which an element of the adapter's input is dropped in training.</summary>
    public float Dropout { get; set; }

    /// <summary>Whether s = alpha / sqrt(rank) (rsLoRA).</summary>
    public bool RankStabilized { get; set; }
}

/// <summary>Which ranks a step of DyLoRA draws from.</summary>
public enum RankDraw
{
    /// <summary>1 to the maximum rank, all equally often (the published code of DyLoRA).</summary>
    Uniform,

    /// <summary>1, 2, 4, ... and the maximum rank, all equally often (QDyLoRA's set).</summary>
    PowersOfTwo,
}

/// <summary>
/// Adapters of every rank up to a maximum from one run (Valipour et al. 2023, "DyLoRA", section 3): each optimizer step draws a rank b and trains
/// y = W x + alpha / b · B[:, :b] A[:b] dropout(x). Over quantized weights this is QDyLoRA (Rajabzadeh et al. 2024). Rows and columns that a step does
/// not touch keep their values and moments.
/// </summary>
[AttributeUsage(AttributeTargets.Class, AllowMultiple = true)]
public sealed class DyLoraAttribute : AdapterAttribute
{
    /// <summary>The maximum rank R: A is [R, in], B is [out, R].</summary>
    public int Rank { get; set; } = 8;

    /// <summary>Numerator of the scale alpha / b; 0: equal to the maximum rank.</summary>
    public float Alpha { get; set; }

    /// <summary>
    /// Whether the scale is alpha / sqrt(b) (rsLoRA, Kalajdzievski 2023): the directions that low ranks and high ones share then differ less in what they add.
    /// </summary>
    public bool RankStabilized { get; set; }

    /// <summary>Probability with which an element of the adapter's input is dropped in training.</summary>
    public float Dropout { get; set; }

    /// <summary>Which ranks steps draw from.</summary>
    public RankDraw Draw { get; set; } = RankDraw.Uniform;

    /// <summary>
    /// The share of the steps, from 0 to 1, that use the maximum rank R without drawing: p(b) = (1 − share) · <see cref="Draw"/>'s, and share more for R (the
    /// paper's p_B is any distribution over ranks). At 0 it is the published draw, at 1 plain LoRA of rank R.
    /// </summary>
    public double FullRankShare { get; set; }

    /// <summary>Whether a step of rank b trains the last of its b directions only, and those before it stay as they are.</summary>
    public bool LastOnly { get; set; }
}

/// <summary>
/// QA-LoRA adapters: y = W x + s · B A dropout(p) with s = alpha / rank and p the means of groups of inputs (Xu et al. 2023, section 3.3).
/// Over <see cref="Storage.Int4"/> in blocks that divide the groups, a trained adapter merges into the zero points exactly, and the
/// merged weights are still Int4. It keeps p for backward where LoRA keeps x, a group size smaller.
/// </summary>
[AttributeUsage(AttributeTargets.Class, AllowMultiple = true)]
public sealed class QaLoraAttribute : AdapterAttribute
{
    /// <summary>Rank r of the adapters, at most the number of groups: A is [r, in / group size], B is [out, r].</summary>
    public int Rank { get; set; } = 8;

    /// <summary>Numerator of the scale s; 0: equal to the rank, so s = 1.</summary>
    public float Alpha { get; set; }

    /// <summary>Probability with which a group's mean is dropped in training.</summary>
    public float Dropout { get; set; }

    /// <summary>Inputs in a group, a divisor of all inputs; 0: the block size of the Int4 storage.</summary>
    public int GroupSize { get; set; }
}

/// <summary>
/// LaMDA (Azizi et al. 2024): y = W x + s · B S A dropout(x) with s = alpha / rank. A is never trained, S always; the columns of B are
/// frozen one after the other over the first part of training. x need not be kept for the adapter, and after the freezing each
/// projection trains r² parameters.
/// </summary>
[AttributeUsage(AttributeTargets.Class, AllowMultiple = true)]
public sealed class LamdaAttribute : AdapterAttribute
{
    /// <summary>Rank r of the adapters: A is [r, in], S is [r, r], B is [out, r].</summary>
    public int Rank { get; set; } = 8;

    /// <summary>Numerator of the scale s; 0: equal to the rank, so s = 1.</summary>
    public float Alpha { get; set; }

    /// <summary>Probability with which an element of the adapter's input is dropped in training.</summary>
    public float Dropout { get; set; }

    /// <summary>
    /// The part of the optimizer steps, from 0 to 1, after which all of B is frozen. At 0 it is from the first step on, which
    /// <see cref="LamdaInitialization.Random"/> does not allow: nothing would ever train.
    /// </summary>
    public double FreezeUntil { get; set; } = 0.3;

    /// <summary>The start values.</summary>
    public LamdaInitialization Initialization { get; set; } = LamdaInitialization.Spectral;
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
    /// <summary>The uniform rank r whose trainable parameters each projection's adapters share out between the layers, from r/2 to 2 r.</summary>
    public int Rank { get; set; } = 8;

    /// <summary>Numerator of the scale, alpha / rank of the adapter; 0: equal to r.</summary>
    public float Alpha { get; set; }

    /// <summary>Probability with which an element of the adapter's input is dropped in training.</summary>
    public float Dropout { get; set; }

    /// <summary>
    /// The part of the optimizer steps, from 0 to 1, after which all of B is frozen. At 0 it is from the first step on, which
    /// <see cref="LamdaInitialization.Random"/> does not allow: nothing would ever train.
    /// </summary>
    public double FreezeUntil { get; set; } = 0.3;

    /// <summary>The start values.</summary>
    public LamdaInitialization Initialization { get; set; } = LamdaInitialization.Spectral;
}
