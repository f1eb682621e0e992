using System.Globalization;
using System.Text.Json.Nodes;
using ModelCompiler.Models;

namespace ModelCompiler.CommandLine.Results;

/// <summary>The ranks of the adapters of one projection.</summary>
/// <param name="Path">The projection.</param>
/// <param name="Layers">Its layers with an adapter, ascending, and the rank of each; the layer of the head's is -1.</param>
internal sealed record AdapterRanks(string Path, (int Layer, int Rank)[] Layers)
{
    /// <summary>The ranks of a model's adapters: as planned, or what the method has chosen.</summary>
    public static AdapterRanks[] Of(TransformerModel model) =>
        [.. model.Adapters.GroupBy(a => a.Index).OrderBy(g => g.Key).Select(g => new AdapterRanks(
            g.First().Slot.Path, [.. g.OrderBy(a => a.Layer).Select(a => (a.Layer, a.ChosenRank(model) ?? a.Rank))]))];

    /// <summary>By projection: a number, or where layers differ an object of layer and number.</summary>
    public static Dictionary<string, JsonNode> Json(IEnumerable<AdapterRanks> ranks) => ranks.ToDictionary(r => r.Path, r => r.Json());

    private JsonNode Json() => Layers.All(l => l.Rank == Layers[0].Rank)
        ? JsonValue.Create(Layers[0].Rank)
        : new JsonObject(Layers.Select(l => KeyValuePair.Create(l.Layer.ToString(CultureInfo.InvariantCulture), (JsonNode?)JsonValue.Create(l.Rank))));
}
