using System.Text.RegularExpressions;
using ModelCompiler.Tokenizers;

namespace ModelCompiler.HuggingFace.Tokenizers;

/// <summary>A pattern ready to match.</summary>
/// <param name="Regex">For .NET.</param>
/// <param name="Named">The characters that it names.</param>
internal sealed record SplitPattern(Regex Regex, NamedCharacters Named);

/// <summary>The patterns that cut text into words: known ones compiled at build time, others at run time and bounded.</summary>
internal static partial class SplitPatterns
{
    public const string Gpt2 = @"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";
    public const string Qwen2 = @"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
    public const string Llama3 = @"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
    public const string OneDigit = @"\p{N}";
    public const string Digits = @"\p{N}+";

    private const string Contractions = @"'(?:[sS\u017F]|[tT]|[rR][eE]|[vV][eE]|[mM]|[lL][lL]|[dD])";
    private const string Qwen2Translated = Contractions + @"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
    private const string Llama3Translated = Contractions + @"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

    /// <summary>What a single match may take where matching backtracks.</summary>
    private static readonly TimeSpan s_matchTimeout = TimeSpan.FromSeconds(0.75);

    /// <summary>What all matches in a text of a length may take together.</summary>
    public static TimeSpan LimitOf(int length) => TimeSpan.FromSeconds(1.5 + 5e-6 * length);

    /// <exception cref="TokenizerException">The pattern is malformed, or cannot be matched as Hugging Face's library does.</exception>
    public static SplitPattern Compile(string pattern, string file)
    {
        try
        {
            (string translated, NamedCharacters named) = OnigurumaPattern.Translate(pattern);
            return new SplitPattern(Known(pattern) ?? Bounded(translated), named);
        }
        catch (Exception error) when (error is FormatException or ArgumentException)
        {
            throw new TokenizerException($"{file}: the pre-tokenizer's pattern '{TokenizerFile.Shorten(pattern)}' is not supported: {error.Message}", error);
        }
    }

    private static Regex? Known(string pattern) => pattern switch
    {
        Gpt2 => Gpt2Regex(),
        Qwen2 => Qwen2Regex(),
        Llama3 => Llama3Regex(),
        OneDigit => OneDigitRegex(),
        Digits => DigitsRegex(),
        _ => null,
    };

    /// <summary>Without backtracking where the pattern has neither look-around nor atomic groups nor large counts, else with a limit.</summary>
    private static Regex Bounded(string pattern)
    {
        const RegexOptions Options = RegexOptions.CultureInvariant | RegexOptions.Multiline;
        if (!pattern.Contains('{', StringComparison.Ordinal) || !CountRegex().IsMatch(pattern))
        {
            try
            {
                return new Regex(pattern, Options | RegexOptions.NonBacktracking);
            }
            catch (NotSupportedException)
            {
                // It needs what only backtracking has.
            }
        }

        return new Regex(pattern, Options | RegexOptions.Compiled, s_matchTimeout);
    }

    [GeneratedRegex(@"\{[0-9]+(,[0-9]*)?\}", RegexOptions.CultureInvariant)]
    private static partial Regex CountRegex();

    [GeneratedRegex(Gpt2, RegexOptions.CultureInvariant)]
    private static partial Regex Gpt2Regex();

    [GeneratedRegex(Qwen2Translated, RegexOptions.CultureInvariant)]
    private static partial Regex Qwen2Regex();

    [GeneratedRegex(Llama3Translated, RegexOptions.CultureInvariant)]
    private static partial Regex Llama3Regex();

    [GeneratedRegex(OneDigit, RegexOptions.CultureInvariant)]
    private static partial Regex OneDigitRegex();

    [GeneratedRegex(Digits, RegexOptions.CultureInvariant)]
    private static partial Regex DigitsRegex();
}
