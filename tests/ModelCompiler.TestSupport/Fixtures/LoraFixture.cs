namespace ModelCompiler.Tests.Fixtures;

/// <summary>What PyTorch computed, in double precision, for LoRA adapters of the closed form over the real stories260K.</summary>
/// <param name="Name">Name of the fixture.</param>
/// <param name="Rank">Rank of every adapter.</param>
/// <param name="Alpha">Numerator of the scale.</param>
/// <param name="RankStabilized">Whether the scale is alpha / sqrt(rank).</param>
/// <param name="Scale">The scale s.</param>
/// <param name="Targets">Projections with an adapter, in every layer: q_proj, ..., down_proj.</param>
/// <param name="Offsets">Projection -> the offset in the closed form of its A and B.</param>
/// <param name="Inputs">Token ids, one array a sequence.</param>
/// <param name="TargetIds">The id each position must predict.</param>
/// <param name="Loss">Mean cross-entropy before the first step.</param>
/// <param name="Parameters">Every A and B in ordinal order of names, with the gradient before the first step.</param>
/// <param name="Run">A training run on the same batch, where the fixture holds one.</param>
public sealed record LoraFixture(
    string Name,
    int Rank,
    int Alpha,
    bool RankStabilized,
    double Scale,
    string[] Targets,
    Dictionary<string, int> Offsets,
    int[][] Inputs,
    int[][] TargetIds,
    double Loss,
    FixtureParameter[] Parameters,
    LoraRun? Run = null)
{
    /// <summary>LoRA on query and value; the whole gradients.</summary>
    public static LoraFixture QueryAndValue() => FixtureFile.Read<LoraFixture>("stories260K-lora-qv.json");

    /// <summary>Rank-stabilized LoRA on all seven projections; gradient norms and five optimizer steps.</summary>
    public static LoraFixture AllProjections() => FixtureFile.Read<LoraFixture>("stories260K-lora-all.json");

    /// <summary>Initial values of a parameter of <see cref="Parameters"/>, row-major.</summary>
    public double[] Values(FixtureParameter parameter)
    {
        // model.layers.{layer}.{group}.{projection}.lora_{A|B}.weight
        string[] parts = parameter.Name.Split('.');
        int layer = int.Parse(parts[2], System.Globalization.CultureInfo.InvariantCulture);
        int offset = Offsets[parts[4]];
        return parts[5] == "lora_A"
            ? ClosedForm.LoraA(parameter.Shape[0], parameter.Shape[1], layer, offset)
            : ClosedForm.LoraB(parameter.Shape[0], parameter.Shape[1], layer, offset);
    }
}

/// <summary>
/// AdamW with decoupled decay and clipping by the global norm. The learning rate of step n = 1, 2, ... is
/// peak·n / warmup up to n = warmup, then peak·(1 + cos(π (n - warmup) / (horizon - warmup))) / 2.
/// </summary>
/// <param name="Steps">Steps taken.</param>
/// <param name="PeakRate">Learning rate at the end of the warm-up.</param>
/// <param name="Betas">β1 and β2.</param>
/// <param name="Epsilon">ε of AdamW.</param>
/// <param name="WeightDecay">Decoupled decay.</param>
/// <param name="Clip">Largest global norm: gradients are multiplied by min(1, clip / (norm + 1e-6)).</param>
/// <param name="Warmup">Steps of warm-up.</param>
/// <param name="Horizon">The step at which the cosine reaches zero; the run stops before it.</param>
/// <param name="Rates">The learning rate of each step.</param>
/// <param name="Losses">The loss before each step, and after the last: one more than steps.</param>
/// <param name="GradientNorms">Global norm of the gradient of each step before clipping.</param>
/// <param name="EndNorms">Name -> Euclidean norm of the parameter after the last step.</param>
public sealed record LoraRun(
    int Steps,
    double PeakRate,
    double[] Betas,
    double Epsilon,
    double WeightDecay,
    double Clip,
    int Warmup,
    int Horizon,
    double[] Rates,
    double[] Losses,
    double[] GradientNorms,
    Dictionary<string, double> EndNorms);
