using System.Globalization;
using ModelCompiler.Planning;

namespace ModelCompiler.HuggingFace.Families;

/// <summary>What of a description its families and the keys of a config.json depend on, beyond its own <see cref="ModelTables.Configuration"/>.</summary>
public sealed class DescribedShape
{
    /// <summary>Keys by which a description says that it computes something that no Llama does.</summary>
    private static readonly IReadOnlySet<string> s_beyondLlama =
        new HashSet<string> { "embedding_multiplier", "final_logit_softcapping", "use_parallel_residual", "use_post_norm" };

    private readonly ModelTables _tables;

    /// <summary>The shape of a description.</summary>
    public DescribedShape(ModelTables tables)
    {
        _tables = tables;
        Parameters = tables.Parameters.Where(static p => p.Slot < 0).Select(p => tables.KindPath(p.Path)).ToHashSet();
    }

    /// <summary>The parameters of the base, as <see cref="ModelTables.KindPath"/> has them.</summary>
    public IReadOnlySet<string> Parameters { get; }

    /// <summary>Width of the residual stream.</summary>
    public int Width => _tables.Width;

    /// <summary>Number of layers.</summary>
    public int Layers => _tables.Layers;

    /// <summary>Longest sequence.</summary>
    public int Context => _tables.Context;

    /// <summary>Width of a head; 1 where there is none.</summary>
    public double HeadWidth => double.Parse(Value("head_dim") ?? "1", CultureInfo.InvariantCulture);

    /// <summary>Whether a layer is attention and then a feed-forward layer.</summary>
    public bool IsAttentionThenFeedForward => _tables.Sublayers is [{ Kind: SublayerKind.Attention }, { Kind: SublayerKind.FeedForward }];

    /// <summary>Whether it computes what Llama does, whatever its layers have more: RMS norms before the sublayers, rotary positions, SwiGLU, and nothing else.</summary>
    public bool IsLlamaLike =>
        Value("rope_theta") is not null && Value("hidden_act") == "\"silu\"" && Value("rms_norm_eps") is not null
        && !IsBeyondLlama;

    /// <summary>Whether it computes something that neither Llama nor GPT-2 does: a factor, a cap, norms or sublayers in another place.</summary>
    public bool IsBeyondLlama => _tables.Configuration.Any(c => s_beyondLlama.Contains(c.Key));

    /// <summary>What a config.json says of it in the keys that most families share.</summary>
    public IReadOnlyList<ConfigEntry> Configuration => _tables.Configuration;

    /// <summary>Whether it has a parameter, "Attention.Query.Bias".</summary>
    public bool Has(string parameter) => Parameters.Contains(parameter);

    /// <summary>The described value of a key; null where the description says nothing of it.</summary>
    public string? Value(string key) => _tables.Configuration.FirstOrDefault(c => c.Key == key)?.Value;
}
