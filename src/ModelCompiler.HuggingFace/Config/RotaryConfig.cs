using System.Text.Json;
using ModelCompiler.HuggingFace.Families;
using ModelCompiler.Planning;
using ModelCompiler.Reading;

namespace ModelCompiler.HuggingFace.Config;

/// <summary>
/// What a config.json says of rotary positions: at the top level, in rope_scaling and, by Transformers 5, in rope_parameters. A value may stand in several of
/// these places, but must be the same.
/// </summary>
internal sealed class RotaryConfig
{
    private const string Kind = "rope_type";
    private const string Theta = "rope_theta";
    private const string Part = "partial_rotary_factor";
    private const string Scaling = "rope_scaling";
    private const string Parameters = "rope_parameters";
    private const string OriginalContext = "original_max_position_embeddings";

    /// <summary>Members that a scaling reads, and those that it does not where they say nothing.</summary>
    private static readonly Dictionary<string, string[]> s_members = new()
    {
        ["\"default\""] = [OriginalContext],
        ["\"linear\""] = ["factor", OriginalContext],
        ["\"llama3\""] = ["factor", "low_freq_factor", "high_freq_factor", OriginalContext],
    };

    private static readonly string[] s_oneIsNeutral = ["factor", "attention_factor", "mscale", "mscale_all_dim"];

    private readonly Dictionary<string, List<(string Place, JsonElement Value)>> _values = [];
    private readonly List<ConfigProblem> _problems = [];
    private readonly string _architecture;

    public RotaryConfig(JsonValue file, ModelTables tables)
    {
        _architecture = tables.Architecture;
        foreach (string key in (ReadOnlySpan<string>)[Theta, Part, OriginalContext])
        {
            if (file.Value(key) is { } value)
            {
                Add(key, key, value.Element);
            }
        }

        foreach (string place in (ReadOnlySpan<string>)[Scaling, Parameters])
        {
            if (file.Value(place) is { } value)
            {
                AddMembers(place, value.Element);
            }
        }
    }

    /// <summary>Whether a key of the top level is read here.</summary>
    public static bool Reads(string key) => key is Theta or Part or Scaling or Parameters;

    /// <summary>Everything that is not as described.</summary>
    public IEnumerable<ConfigProblem> Problems(DescribedShape shape, ModelTables tables)
    {
        IEnumerable<ConfigProblem> contradictions = _values.Where(v => v.Value.Count > 1).SelectMany(v => Contradictions(v.Key, v.Value));
        if (shape.Value(Theta) is not { } theta)
        {
            return [.. _problems, .. contradictions, .. _values.Where(v => v.Key != OriginalContext).Select(v => Problem(v.Value[0], $"has no rotary positions"))];
        }

        string? absent = tables.Configuration.First(c => c.Key == Theta).Default;
        return [.. _problems, .. contradictions, .. Compare(Theta, theta, absent), .. Compare(Part, shape.Value(Part) ?? "1", "1"), .. CompareScaling(shape.Value(Scaling))];
    }

    private void AddMembers(string place, JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.Object)
        {
            _problems.Add(new($"key '{place}' is {ConfigValue.Show(value)}, which must be an object", place));
            return;
        }

        JsonProperty[] members = [.. value.EnumerateObject().Where(p => p.Value.ValueKind != JsonValueKind.Null)];
        JsonProperty[] nested = [.. members.Where(p => p.Value.ValueKind == JsonValueKind.Object)];
        if (nested.Select(p => p.Value.GetRawText()).Distinct().Count() > 1 || (nested.Length > 0 && nested.Length < members.Length))
        {
            _problems.Add(new($"key '{place}' is by type of layer ({string.Join(", ", nested.Select(p => p.Name))}: {ConfigValue.Show(value)}), but {_architecture} has one for all layers", place));
            return;
        }

        foreach (JsonProperty member in (nested.Length > 0 ? nested[0].Value : value).EnumerateObject().Where(p => p.Value.ValueKind != JsonValueKind.Null))
        {
            Add(member.Name == "type" ? Kind : member.Name, $"{place}.{member.Name}", member.Value);
        }
    }

    private void Add(string key, string place, JsonElement value)
    {
        if (!_values.TryGetValue(key, out List<(string, JsonElement)>? places))
        {
            _values.Add(key, places = []);
        }

        places.Add((place, value));
    }

    private static IEnumerable<ConfigProblem> Contradictions(string key, List<(string Place, JsonElement Value)> places) => places.Skip(1)
        .Where(other => !ConfigValue.Same(other.Value.GetRawText(), places[0].Value.GetRawText()))
        .Select(other => new ConfigProblem(
            $"key '{places[0].Place}' is {ConfigValue.Show(places[0].Value)}, but '{other.Place}' is {ConfigValue.Show(other.Value)}; they mean the same and must agree",
            [key, places[0].Place, other.Place, .. Owners(places[0].Place), .. Owners(other.Place)]));

    private IEnumerable<ConfigProblem> Compare(string key, string described, string? absent)
    {
        if (!_values.TryGetValue(key, out List<(string Place, JsonElement Value)>? places))
        {
            return absent is null || ConfigValue.Same(absent, described) ? []
                : [new($"key '{key}' is absent, which means {absent}, but {_architecture} is described with {described}", key)];
        }

        return places.Where(p => !ConfigValue.Same(p.Value.GetRawText(), described)).Take(1).Select(p => Problem(p, $"is described with {described}"));
    }

    private IEnumerable<ConfigProblem> CompareScaling(string? described)
    {
        (string place, JsonElement kind) = _values.TryGetValue(Kind, out List<(string Place, JsonElement Value)>? kinds) ? kinds[0] : (Scaling, default);
        string name = kind.ValueKind == JsonValueKind.Undefined ? "\"default\"" : kind.GetRawText();
        if (name == "\"linear\"" && _values.TryGetValue("factor", out List<(string Place, JsonElement Value)>? factors) && factors.All(f => ConfigValue.Same(f.Value.GetRawText(), "1")))
        {
            name = "\"default\"";
        }

        if (described is null && name != "\"default\"")
        {
            return [new($"key '{Scaling}' is '{name.Trim('"')}', but {_architecture} is described without scaling: give [Rotary] its Scaling; results would silently differ", [Scaling, place, Kind, .. Owners(place)])];
        }

        return [.. described is null ? [] : Members(described, name, place), .. Unread(name)];
    }

    private IEnumerable<ConfigProblem> Members(string described, string kind, string place)
    {
        using JsonDocument expected = JsonDocument.Parse(described);
        var problems = new List<ConfigProblem>();
        foreach (JsonProperty property in expected.RootElement.EnumerateObject())
        {
            string? actual = property.NameEquals(Kind) ? kind
                : _values.TryGetValue(property.Name, out List<(string Place, JsonElement Value)>? places) ? places[0].Value.GetRawText()
                : null;
            if (actual is null || !ConfigValue.Same(actual, property.Value.GetRawText()))
            {
                problems.Add(new(
                    $"'{property.Name}' of key '{Scaling}' is {actual ?? "absent"}, but {_architecture} is described with {property.Value.GetRawText()}",
                    [Scaling, property.Name, $"{Scaling}.{property.Name}", .. Owners(place)]));
            }
        }

        return problems;
    }

    /// <summary>Members that this scaling has no use for: what they ask for is not computed.</summary>
    private IEnumerable<ConfigProblem> Unread(string kind)
    {
        string[] read = s_members.GetValueOrDefault(kind, []);
        return _values
            .Where(v => v.Key is not (Kind or Theta or Part) && !read.Contains(v.Key))
            .Where(v => !(s_oneIsNeutral.Contains(v.Key) && ConfigValue.Same(v.Value[0].Value.GetRawText(), "1")))
            .Select(v => new ConfigProblem($"key '{v.Value[0].Place}' is {ConfigValue.Show(v.Value[0].Value)}, which {_architecture} does not compute", [v.Key, v.Value[0].Place, .. Owners(v.Value[0].Place)]));
    }

    private ConfigProblem Problem((string Place, JsonElement Value) at, string description) =>
        new($"key '{at.Place}' is {ConfigValue.Show(at.Value)}, but {_architecture} {description}", [at.Place, at.Place[(at.Place.IndexOf('.') + 1)..], .. Owners(at.Place)]);

    /// <summary>The object that a place lies in.</summary>
    private static string[] Owners(string place) => place.Contains('.') ? [place[..place.IndexOf('.')]] : [];
}
