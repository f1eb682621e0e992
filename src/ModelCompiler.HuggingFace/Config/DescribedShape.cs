using System.Globalization;
using ModelCompiler.HuggingFace.Families;
using ModelCompiler.Planning;

namespace ModelCompiler.HuggingFace.Config;

/// <summary>What of a description the keys of a config.json depend on, beyond its own <see cref="ModelTables.Configuration"/>.</summary>
internal sealed class DescribedShape
{
    private readonly ModelTables _tables;

    public DescribedShape(ModelTables tables)
    {
        _tables = tables;
        LayerParameters = tables.Parameters.Where(p => p.Slot < 0).Select(p => p.Name).Except([.. LlamaNames.Parameters, LlamaNames.Head]).ToHashSet();
    }

    /// <summary>Names of the parameters that Llama does not have; "{0}" stands for the layer.</summary>
    public IReadOnlySet<string> LayerParameters { get; }

    public int Width => _tables.Width;

    public int Layers => _tables.Layers;

    public int Context => _tables.Context;

    public double HeadWidth => double.Parse(Value("head_dim") ?? "1", CultureInfo.InvariantCulture);

    /// <summary>Whether it is Llama's but for what a layer has more: RMS norms before the sublayers, rotary positions, SwiGLU, and nothing else that is computed.</summary>
    public bool IsLlamaLike =>
        Value("rope_theta") is not null && Value("hidden_act") == "\"silu\"" && Value("rms_norm_eps") is not null
        && !_tables.Configuration.Any(c => ConfigKeys.BeyondLlama.Contains(c.Key));

    /// <summary>Whether every layer has a parameter, or the sublayer has one in it.</summary>
    public bool Has(string parameter) => LayerParameters.Contains(LlamaNames.Layer + parameter);

    /// <summary>The described value of a key; null where the description says nothing of it.</summary>
    public string? Value(string key) => _tables.Configuration.FirstOrDefault(c => c.Key == key)?.Value;
}
