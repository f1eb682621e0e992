using System.Text.RegularExpressions;

namespace ModelCompiler.HuggingFace.Peft;

/// <summary>What adapter_config.json says of a LoRA adapter, as far as it changes results.</summary>
public sealed record PeftConfig
{
    /// <summary>r: the rank of every module that <see cref="RankPattern"/> does not name.</summary>
    public required int R { get; init; }

    /// <summary>lora_alpha.</summary>
    public required double Alpha { get; init; }

    /// <summary>lora_dropout.</summary>
    public double Dropout { get; init; }

    /// <summary>target_modules: name suffixes, one regular expression, or "all-linear" (one entry).</summary>
    public required IReadOnlyList<string> TargetModules { get; init; }

    /// <summary>use_rslora: the scale is alpha / √r instead of alpha / r.</summary>
    public bool UseRslora { get; init; }

    /// <summary>use_dora: every module has magnitudes.</summary>
    public bool UseDora { get; init; }

    /// <summary>fan_in_fan_out: the base stores weights as [inputs, outputs]. A and B are the same either way.</summary>
    public bool FanInFanOut { get; init; }

    /// <summary>rank_pattern in the file's order.</summary>
    public IReadOnlyList<KeyValuePair<string, int>> RankPattern { get; init; } = [];

    /// <summary>alpha_pattern in the file's order.</summary>
    public IReadOnlyList<KeyValuePair<string, double>> AlphaPattern { get; init; } = [];

    /// <summary>base_model_name_or_path.</summary>
    public string? BaseModel { get; init; }

    /// <summary>The rank of a module: the first pattern that matches its path, else <see cref="R"/>.</summary>
    /// <param name="module">Path inside the base model, such as model.layers.0.self_attn.q_proj.</param>
    public int RankOf(string module) => RankPattern.Where(p => Matches(p.Key, module)).Select(p => (int?)p.Value).FirstOrDefault() ?? R;

    /// <summary>The alpha of a module, by the same rule.</summary>
    /// <param name="module">Path inside the base model.</param>
    public double AlphaOf(string module) => AlphaPattern.Where(p => Matches(p.Key, module)).Select(p => (double?)p.Value).FirstOrDefault() ?? Alpha;

    /// <summary>The factor on B A: alpha / r, or alpha / √r.</summary>
    /// <param name="module">Path inside the base model.</param>
    public double ScaleOf(string module) => AlphaOf(module) / (UseRslora ? Math.Sqrt(RankOf(module)) : RankOf(module));

    /// <summary>PEFT's rule: the whole path, or what follows a dot in it, must match the key as a regular expression.</summary>
    internal static bool Matches(string key, string module) => IsPlain(key)
        ? module.Length >= key.Length && IsPlainMatch(key, module.AsSpan(module.Length - key.Length)) && (module.Length == key.Length || module[^(key.Length + 1)] == '.')
        : Regex.IsMatch(module, $@"\A(?:.*\.)?(?:{key})\z", RegexOptions.CultureInvariant | RegexOptions.NonBacktracking);

    /// <summary>A path and nothing else, as ours are: no regular expression need be compiled for it, which takes a megabyte each.</summary>
    private static bool IsPlain(string key) => key.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '.');

    /// <summary>A dot of a regular expression stands for any character but the end of a line.</summary>
    private static bool IsPlainMatch(string key, ReadOnlySpan<char> path)
    {
        for (int i = 0; i < key.Length; i++)
        {
            if (key[i] == '.' ? path[i] == '\n' : key[i] != path[i])
            {
                return false;
            }
        }

        return true;
    }
}
