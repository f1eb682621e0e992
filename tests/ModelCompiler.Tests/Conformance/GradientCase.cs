using ModelCompiler.Backends;
using ModelCompiler.Operations;
using ModelCompiler.Testing.Conformance;
using static ModelCompiler.Testing.Conformance.Operand;

namespace ModelCompiler.Tests.Conformance;

/// <summary>A forward operation, the tensor it differentiates, and its gradient operations.</summary>
/// <param name="Name">Name of the forward operation.</param>
/// <param name="Operands">Inputs, outputs, the output's gradient and the gradients of the inputs.</param>
/// <param name="Result">The differentiated output.</param>
/// <param name="ResultGradient">The operand that holds the gradient of the output; null where the operation is a loss.</param>
/// <param name="Gradients">Each input with the tensor that gets its gradient.</param>
/// <param name="Forward">The operation.</param>
/// <param name="Backward">Its gradient operations.</param>
internal sealed record GradientCase(
    string Name,
    Operand[] Operands,
    string Result,
    string? ResultGradient,
    (string Input, string Gradient)[] Gradients,
    Action<IBackend, Handles> Forward,
    Action<IBackend, Handles> Backward)
{
    private const int Rows = 6;
    private const int Columns = 8;

    public Step Step { get; init; } = new(Batch: 2, Sequence: 3, Position: 0, LossScale: 0.4);

    /// <summary>Every operation that has a gradient, once.</summary>
    public static IEnumerable<GradientCase> All() =>
    [
        new(nameof(IBackend.Embedding),
            [Ids("ids", Rows, 4), Weight("table", 4, Columns), Output("y", Rows, Columns), Dy(), Accumulator("dTable", 4, Columns)],
            "y", "dy", [("table", "dTable")],
            (b, t) => b.Embedding(t["ids"], t["table"], t["y"], 1.5f),
            (b, t) => b.EmbeddingGradient(t["dy"], t["ids"], t["dTable"], 1.5f)),
        new(nameof(IBackend.LearnedPositions),
            [X(), Weight("table", 5, Columns), Output("y", Rows, Columns), Dy(), Accumulator("dTable", 5, Columns)],
            "y", "dy", [("table", "dTable")],
            (b, t) => b.LearnedPositions(t["x"], t["table"], t["y"]),
            (b, t) => b.LearnedPositionsGradient(t["dy"], t["dTable"]))
        {
            Step = new Step(Batch: 2, Sequence: 3, Position: 2),
        },
        new(nameof(IBackend.RmsNorm),
            [X(), W(), Output("y", Rows, Columns), Output("rstd", Rows, 1), Dy(), Dx(), Accumulator("dw", 1, Columns)],
            "y", "dy", [("x", "dx"), ("w", "dw")],
            (b, t) => b.RmsNorm(t["x"], t["w"], t["y"], t["rstd"], new NormShape(1e-2f)),
            (b, t) =>
            {
                b.RmsNormGradient(t["dy"], t["x"], t["w"], t["rstd"], t["dx"]);
                b.RmsNormGradientWeight(t["dy"], t["x"], t["rstd"], t["dw"]);
            }),
        new(nameof(IBackend.LayerNorm),
            [X(), W(), Weight("b", 1, Columns), Output("y", Rows, Columns), Output("statistics", Rows, 2), Dy(), Dx(), Accumulator("dw", 1, Columns), Accumulator("db", 1, Columns)],
            "y", "dy", [("x", "dx"), ("w", "dw"), ("b", "db")],
            (b, t) => b.LayerNorm(t["x"], t["w"], t["b"], t["y"], t["statistics"], new NormShape(1e-2f)),
            (b, t) =>
            {
                b.LayerNormGradient(t["dy"], t["x"], t["w"], t["statistics"], t["dx"]);
                b.LayerNormGradientWeight(t["dy"], t["x"], t["statistics"], t["dw"]);
                b.LinearGradientBias(t["dy"], t["db"]);
            }),
        new(nameof(IBackend.Linear),
            [X(), Weight("w", 5, Columns), Weight("bias", 1, 5), Output("y", Rows, 5), Input("dy", Rows, 5), Dx(), Accumulator("dw", 5, Columns), Accumulator("db", 1, 5)],
            "y", "dy", [("x", "dx"), ("w", "dw"), ("bias", "db")],
            (b, t) => b.Linear(t["x"], t["w"], t["y"], t["bias"], scale: 0.75f),
            (b, t) =>
            {
                b.LinearGradientInput(t["dy"], t["w"], t["dx"], scale: 0.75f);
                b.LinearGradientWeight(t["dy"], t["x"], t["dw"], 0.75f);
                b.LinearGradientBias(t["dy"], t["db"], 0.75f);
            }),
        new(nameof(IBackend.LowRankLinear),
            [
                X(), Weight("w", 5, Columns), Weight("a", 3, Columns), Weight("b", 5, 3), Output("h", Rows, 3), Output("y", Rows, 5),
                Input("dy", Rows, 5), Output("e", Rows, 3), Dx(), Accumulator("da", 3, Columns), Accumulator("db", 5, 3),
            ],
            "y", "dy", [("x", "dx"), ("a", "da"), ("b", "db")],
            (b, t) =>
            {
                b.Linear(t["x"], t["a"], t["h"]);
                b.LowRankLinear(t["x"], t["w"], t["h"], t["b"], t["y"], 2);
            },
            (b, t) =>
            {
                b.LinearGradientInput(t["dy"], t["b"], t["e"], scale: 2);
                b.LowRankLinearGradientInput(t["dy"], t["w"], t["e"], t["a"], t["dx"]);
                b.LinearGradientWeight(t["e"], t["x"], t["da"]);
                b.LinearGradientWeight(t["dy"], t["h"], t["db"], 2);
            }),
        new(nameof(IBackend.Rotary),
            [X(), Output("y", Rows, Columns), Dy(), Dx()],
            "y", "dy", [("x", "dx")],
            (b, t) => b.Rotary(t["x"], t["y"], new RotaryShape(HeadWidth: 4, Width: 2, Theta: 100)),
            (b, t) => b.RotaryGradient(t["dy"], t["dx"], new RotaryShape(HeadWidth: 4, Width: 2, Theta: 100)))
        {
            Step = new Step(Batch: 2, Sequence: 3, Position: 3),
        },
        new(nameof(IBackend.Attention),
            [
                Input("q", Rows, 8), Input("k", Rows, 4), Input("v", Rows, 4), Output("o", Rows, 8), Output("logSumExp", Rows, 4),
                Input("dO", Rows, 8), Output("dq", Rows, 8), Output("dk", Rows, 4), Output("dv", Rows, 4),
            ],
            "o", "dO", [("q", "dq"), ("k", "dk"), ("v", "dv")],
            (b, t) => b.Attention(t["q"], t["k"], t["v"], t["o"], t["logSumExp"], new AttentionShape(Heads: 4, KeyValueHeads: 2, HeadWidth: 2)),
            (b, t) => b.AttentionGradient(
                t["dO"], t["q"], t["k"], t["v"], t["o"], t["logSumExp"], t["dq"], t["dk"], t["dv"], new AttentionShape(Heads: 4, KeyValueHeads: 2, HeadWidth: 2))),
        Gated(nameof(IBackend.SwiGlu), (b, t) => b.SwiGlu(t["gate"], t["up"], t["h"]), (b, t) => b.SwiGluGradient(t["dy"], t["gate"], t["up"], t["dGate"], t["dUp"])),
        Gated(nameof(IBackend.GeGlu), (b, t) => b.GeGlu(t["gate"], t["up"], t["h"]), (b, t) => b.GeGluGradient(t["dy"], t["gate"], t["up"], t["dGate"], t["dUp"])),
        Unary(nameof(IBackend.Gelu), (b, t) => b.Gelu(t["x"], t["y"]), (b, t) => b.GeluGradient(t["dy"], t["x"], t["dx"])),
        Unary(nameof(IBackend.SoftCap), (b, t) => b.SoftCap(t["x"], t["y"], 1.5f), (b, t) => b.SoftCapGradient(t["dy"], t["y"], t["dx"], 1.5f)),
        Unary(nameof(IBackend.Dropout), (b, t) => b.Dropout(t["x"], t["y"], 0.4f, key: 99), (b, t) => b.Dropout(t["dy"], t["dx"], 0.4f, key: 99)),
        new(nameof(IBackend.ScaleChannels),
            [X(), Weight("g", 1, Columns), Output("y", Rows, Columns), Dy(), Dx(), Accumulator("dg", 1, Columns)],
            "y", "dy", [("x", "dx"), ("g", "dg")],
            (b, t) => b.ScaleChannels(t["x"], t["g"], t["y"]),
            (b, t) =>
            {
                b.ScaleChannels(t["dy"], t["g"], t["dx"]);
                b.ScaleChannelsGradientWeight(t["dy"], t["x"], t["dg"]);
            }),
        new(nameof(IBackend.Magnitude),
            [
                Input("z", Rows, Columns), Weight("m", 1, Columns), Input("inverse", 1, Columns), Weight("bias", 1, Columns), Output("y", Rows, Columns), Dy(),
                Output("dz", Rows, Columns), Accumulator("dm", 1, Columns), Accumulator("db", 1, Columns),
            ],
            "y", "dy", [("z", "dz"), ("m", "dm"), ("bias", "db")],
            (b, t) => b.Magnitude(t["z"], t["m"], t["inverse"], t["y"], t["bias"]),
            (b, t) =>
            {
                b.Magnitude(t["dy"], t["m"], t["inverse"], t["dz"]);
                b.MagnitudeGradient(t["dy"], t["z"], t["inverse"], t["dm"]);
                b.LinearGradientBias(t["dy"], t["db"]);
            }),
        new(nameof(IBackend.GroupMean),
            [X(), Output("y", Rows, 2), Input("dy", Rows, 2), Dx()],
            "y", "dy", [("x", "dx")],
            (b, t) => b.GroupMean(t["x"], t["y"]),
            (b, t) => b.GroupMeanGradient(t["dy"], t["dx"])),
        new(nameof(IBackend.CrossEntropy),
            [
                Input("logits", Rows, Columns), Ids("targets", Rows, Columns, ignored: true), Input("weights", Rows, 1),
                Output("logSumExp", Rows, 1), Accumulator("loss", 1, 1), Output("dLogits", Rows, Columns),
            ],
            "loss", null, [("logits", "dLogits")],
            (b, t) => b.CrossEntropy(t["logits"], t["targets"], t["logSumExp"], t["loss"], t["weights"]),
            (b, t) => b.CrossEntropyGradient(t["logits"], t["targets"], t["logSumExp"], t["dLogits"], t["weights"])),
    ];

    public override string ToString() => Name;

    private static GradientCase Unary(string name, Action<IBackend, Handles> forward, Action<IBackend, Handles> backward) =>
        new(name, [X(), Output("y", Rows, Columns), Dy(), Dx()], "y", "dy", [("x", "dx")], forward, backward);

    private static GradientCase Gated(string name, Action<IBackend, Handles> forward, Action<IBackend, Handles> backward) =>
        new(name,
            [Input("gate", Rows, Columns), Input("up", Rows, Columns), Output("h", Rows, Columns), Dy(), Output("dGate", Rows, Columns), Output("dUp", Rows, Columns)],
            "h", "dy", [("gate", "dGate"), ("up", "dUp")], forward, backward);

    private static Operand X() => Input("x", Rows, Columns);

    private static Operand W() => Weight("w", 1, Columns);

    private static Operand Dy() => Input("dy", Rows, Columns);

    private static Operand Dx() => Output("dx", Rows, Columns);
}
