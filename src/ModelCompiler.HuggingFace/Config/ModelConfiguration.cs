using System.Globalization;
using System.Text.Json;
using ModelCompiler.HuggingFace.Families;
using ModelCompiler.Planning;
using ModelCompiler.Reading;
using ModelCompiler.Safetensors;

namespace ModelCompiler.HuggingFace.Config;

/// <summary>Compares a checkpoint's config.json with a description: every key is as described, known to change nothing, or an error.</summary>
internal static class ModelConfiguration
{
    /// <summary>Name of the file in a folder.</summary>
    public const string FileName = "config.json";

    private const int ProblemsInMessage = 4;
    private const string Type = "model_type";

    /// <summary>Spellings of one value, which must agree where both are given.</summary>
    private static readonly (string Name, string Other)[] s_spellings = [("torch_dtype", "dtype"), ("hidden_act", "hidden_activation"), ("hidden_act", "activation_function")];

    /// <summary>Checks every key of a file.</summary>
    /// <exception cref="CheckpointException">The file cannot be read, or keys say something else; they are named with their values.</exception>
    public static void Check(string path, ModelTables tables, IReadOnlyCollection<string>? ignore = null)
    {
        if (Difference(path, tables, ignore) is { } difference)
        {
            throw new CheckpointException(path, $"{difference}. Correct the description, take another checkpoint, or ignore a key that changes nothing (--ignore-config KEY)");
        }
    }

    /// <summary>What the file says otherwise than the description; null where they agree.</summary>
    /// <param name="path">The file.</param>
    /// <param name="tables">The description.</param>
    /// <param name="ignore">Keys that are not compared.</param>
    /// <exception cref="CheckpointException">The file cannot be read.</exception>
    public static string? Difference(string path, ModelTables tables, IReadOnlyCollection<string>? ignore = null)
    {
        JsonValue file = UserFile.ReadObject(path, CheckpointException.In);
        ConfigProblem[] problems = [.. Problems(file, tables).Where(p => ignore is null || !p.Keys.Any(ignore.Contains))];
        string rest = problems.Length > ProblemsInMessage ? $"; and {problems.Length - ProblemsInMessage} more" : "";
        return problems.Length == 0 ? null : string.Join("; ", problems.Take(ProblemsInMessage).Select(p => p.Text)) + rest;
    }

    private static IEnumerable<ConfigProblem> Problems(JsonValue file, ModelTables tables)
    {
        var shape = new DescribedShape(tables);
        CheckpointFamily[] families = CheckpointFamily.Of(tables);
        string? type = file.Text(Type);
        CheckpointFamily? family = families.FirstOrDefault(f => f.ModelType == type);
        ConfigEntry[] keys = [.. family?.Keys(shape) ?? tables.Configuration];
        return
        [
            .. Types(type, families, tables),
            .. Spellings(file, tables),
            .. keys.Where(c => !RotaryConfig.Reads(c.Key)).SelectMany(row => Described(file, row, family, tables)),
            .. new RotaryConfig(file, tables).Problems(shape, tables),
            .. Windows(file, family, shape, tables),
            .. Others(file, keys, family, shape, tables),
        ];
    }

    private static IEnumerable<ConfigProblem> Types(string? type, CheckpointFamily[] families, ModelTables tables)
    {
        string[] known = [.. families.Select(f => f.ModelType), tables.Architecture];
        if (type is null)
        {
            yield return new($"key '{Type}' is missing; {tables.Architecture} computes what {string.Join(" or ", known)} does", Type);
        }
        else if (type.StartsWith("gemma", StringComparison.Ordinal) && tables.Configuration.Any(c => c.Key == "rms_norm_eps"))
        {
            yield return new($"key '{Type}' is '{type}', whose norms multiply by 1 + w; {tables.Architecture}'s multiply by w, and the other cannot be described yet", Type);
        }
        else if (!known.Contains(type))
        {
            yield return new($"key '{Type}' is '{type}', but {tables.Architecture} computes what {string.Join(" or ", known)} does", Type);
        }
    }

    private static IEnumerable<ConfigProblem> Spellings(JsonValue file, ModelTables tables) => s_spellings
        .Where(s => file.Value(s.Name) is { } one && file.Value(s.Other) is { } other && !ConfigValue.Same(one.RawText, other.RawText))
        .Select(s => new ConfigProblem(
            $"key '{s.Name}' is {ConfigValue.Show(file.Value(s.Name)!.Element)}, but '{s.Other}' is {ConfigValue.Show(file.Value(s.Other)!.Element)}; they mean the same and must agree", s.Name, s.Other));

    private static IEnumerable<ConfigProblem> Described(JsonValue file, ConfigEntry row, CheckpointFamily? family, ModelTables tables)
    {
        string key = file.Value(row.Key) is null && s_spellings.FirstOrDefault(s => s.Name == row.Key && file.Value(s.Other) is not null) is { Other: { } other } ? other : row.Key;
        string? absent = file.Keys.Contains(row.Key) ? row.Default : family?.Defaults.GetValueOrDefault(row.Key) ?? row.Default;
        string? actual = file.Value(key)?.RawText ?? absent;
        if (actual is null)
        {
            yield return new($"key '{row.Key}' is missing; {tables.Architecture} needs {row.Value}", row.Key);
        }
        else if (!ConfigValue.Same(actual, row.Value))
        {
            string given = file.Value(key) is { } value ? $"is {ConfigValue.Show(value.Element)}" : $"is absent, which means {actual}";
            yield return new($"key '{key}' {given}, but {tables.Architecture} is described with {row.Value}", row.Key, key);
        }
    }

    /// <summary>A window shorter than the context changes what attention sees, unless it is switched off or no layer has it.</summary>
    private static IEnumerable<ConfigProblem> Windows(JsonValue file, CheckpointFamily? family, DescribedShape shape, ModelTables tables)
    {
        JsonElement? types = file.Value("layer_types")?.Element;
        bool allFull = types is { } full && ConfigKeys.All(full, e => IsText(e, "full_attention"));
        bool switchedOff = (file.Flag("use_sliding_window") ?? family?.Defaults.GetValueOrDefault("use_sliding_window") != "false") == false;
        bool none = switchedOff || (family?.Defaults.ContainsKey("use_sliding_window") == true && (allFull || file.Integer("max_window_layers") >= shape.Layers));
        int? window = file.Integer("sliding_window")
            ?? (file.Keys.Contains("sliding_window") || family?.Defaults.GetValueOrDefault("sliding_window") is not { } absent ? null : int.Parse(absent, CultureInfo.InvariantCulture));
        bool sliding = types is { } some && ConfigKeys.All(some, e => IsText(e, "full_attention") || IsText(e, "sliding_attention")) && window >= shape.Context;
        if (types is { } kinds && !allFull && !sliding)
        {
            yield return new($"key 'layer_types' is {ConfigValue.Show(kinds)}, but {tables.Architecture} has full attention in all layers", "layer_types");
        }

        if (!none && window < shape.Context)
        {
            string given = file.Value("sliding_window") is null ? $"absent, which means {window}" : $"{window}";
            yield return new($"key 'sliding_window' is {given}, but {tables.Architecture} attends over its whole context of {shape.Context}; describe it with Context = {window}", "sliding_window", "use_sliding_window");
        }
    }

    private static bool IsText(JsonElement value, string text) => value.ValueKind == JsonValueKind.String && value.ValueEquals(text);

    private static IEnumerable<ConfigProblem> Others(JsonValue file, ConfigEntry[] keys, CheckpointFamily? family, DescribedShape shape, ModelTables tables)
    {
        string[] read = [Type, "sliding_window", "use_sliding_window", "layer_types", .. s_spellings.Select(s => s.Other), .. keys.Select(c => c.Key), .. family?.Unread ?? []];
        foreach (string key in file.Keys.Where(k => !read.Contains(k) && !RotaryConfig.Reads(k) && !ConfigKeys.IsInert(k)))
        {
            if (file.Value(key) is { } value && !ConfigKeys.IsNeutral(key, value.Element, shape))
            {
                yield return new($"key '{key}' is {ConfigValue.Show(value.Element)}, which {tables.Architecture} does not compute", key);
            }
        }
    }
}
