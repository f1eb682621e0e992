using System.Globalization;
using ModelCompiler.CommandLine.Estimators.PyTorch;
using ModelCompiler.Planning;

namespace ModelCompiler.CommandLine.Estimators;

/// <summary>The sizes of a Llama-shaped decoder, all that estimators of other programs know of a model.</summary>
/// <param name="Name">Name of the architecture.</param>
/// <param name="Width">Width h of the residual stream.</param>
/// <param name="Hidden">Width f of the gated feed-forward layer.</param>
/// <param name="Layers">Number L of layers.</param>
/// <param name="Heads">Query heads n.</param>
/// <param name="KeyValueHeads">Key and value heads.</param>
/// <param name="Vocabulary">Token ids V.</param>
/// <param name="Context">Longest sequence.</param>
/// <param name="Tied">Whether the head is the embedding.</param>
public sealed record LlamaShape(
    string Name, int Width, int Hidden, int Layers, int Heads, int KeyValueHeads, int Vocabulary, int Context, bool Tied = false)
{
    private const string Head = "Head.Weight";

    private static readonly string[] s_projections =
        ["Attention.Query", "Attention.Key", "Attention.Value", "Attention.Output", "FeedForward.Gate", "FeedForward.Up", "FeedForward.Down"];

    /// <summary>All parameters but the head.</summary>
    private static readonly string[] s_parameters =
        ["TokenEmbedding", "Attention.Norm.Weight", "FeedForward.Norm.Weight", "FinalNorm.Weight", .. s_projections.Select(static p => p + ".Weight")];

    /// <summary>Width d of a head.</summary>
    public int HeadWidth => Width / Heads;

    /// <summary>Width k of the keys, and of the values.</summary>
    public int KeyValueWidth => HeadWidth * KeyValueHeads;

    /// <summary>Weights of the projections of all layers, the quantized part.</summary>
    public long ProjectionWeights => Layers * (2L * Width * Width + 2L * Width * KeyValueWidth + 3L * Width * Hidden);

    /// <summary>The seven projections of a layer: path, inputs, outputs.</summary>
    public IReadOnlyList<(string Path, int Inputs, int Outputs)> Projections =>
    [
        (s_projections[0], Width, Width), (s_projections[1], Width, KeyValueWidth), (s_projections[2], Width, KeyValueWidth), (s_projections[3], Width, Width),
        (s_projections[4], Width, Hidden), (s_projections[5], Width, Hidden), (s_projections[6], Hidden, Width),
    ];

    /// <summary>The shape of a compiled model.</summary>
    /// <exception cref="ArgumentException">The model is not Llama-shaped; the message says by what.</exception>
    public static LlamaShape From(ModelTables tables)
    {
        ParameterInfo[] own = [.. tables.Parameters.Where(static p => p.Slot < 0 && !p.TrainingOnly)];
        Dictionary<string, ParameterInfo> byPath = own.ToDictionary(p => tables.KindPath(p.Path));
        if (byPath.Keys.Except([.. s_parameters, Head]).FirstOrDefault() is { } foreign)
        {
            throw Refused(tables, $"it has {foreign}");
        }

        if (s_parameters.Except(byPath.Keys).FirstOrDefault() is { } missing)
        {
            throw Refused(tables, $"it has no {missing}");
        }

        var sizes = new Sizes(1, 1, 1, 1, [.. tables.Slots.Select(static s => s.Rank)]);
        int Rows(int projection) => byPath[s_projections[projection] + ".Weight"].Rows.Evaluate(sizes);
        int heads = int.Parse(tables.Configuration.First(static c => c.Key == "num_attention_heads").Value, CultureInfo.InvariantCulture);
        if (Rows(0) != tables.Width || tables.Width % heads != 0)
        {
            throw Refused(tables, $"its {heads} heads have {Rows(0)} outputs together, not its width of {tables.Width}");
        }

        return new LlamaShape(
            tables.Architecture, tables.Width, Rows(4), tables.Layers, heads, Rows(1) / (tables.Width / heads), tables.Vocabulary, tables.Context, !byPath.ContainsKey(Head));
    }

    private static ArgumentException Refused(ModelTables tables, string why) => new(
        $"{tables.Name} is not a Llama-shaped decoder (RMS norms, rotary attention of heads as wide as the model together, SwiGLU, no biases): {why}");
}
