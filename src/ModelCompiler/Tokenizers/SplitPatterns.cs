using System.Text.RegularExpressions;

namespace ModelCompiler.Tokenizers;

/// <summary>The patterns that cut text into words: known ones compiled at build time, others at run time.</summary>
internal static partial class SplitPatterns
{
    public const string Gpt2 = @"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";
    public const string Qwen2 = @"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
    public const string Llama3 = @"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
    public const string OneDigit = @"\p{N}";
    public const string Digits = @"\p{N}+";

    /// <exception cref="TokenizerException">The pattern is not a regular expression that .NET understands.</exception>
    public static Regex Compile(string pattern, string file)
    {
        try
        {
            return pattern switch
            {
                Gpt2 => Gpt2Regex(),
                Qwen2 => Qwen2Regex(),
                Llama3 => Llama3Regex(),
                OneDigit => OneDigitRegex(),
                Digits => DigitsRegex(),
                _ => new Regex(pattern, RegexOptions.Compiled | RegexOptions.CultureInvariant),
            };
        }
        catch (ArgumentException error)
        {
            throw new TokenizerException($"{file}: the pre-tokenizer's pattern is not supported: {error.Message}", error);
        }
    }

    [GeneratedRegex(Gpt2, RegexOptions.CultureInvariant)]
    private static partial Regex Gpt2Regex();

    [GeneratedRegex(Qwen2, RegexOptions.CultureInvariant)]
    private static partial Regex Qwen2Regex();

    [GeneratedRegex(Llama3, RegexOptions.CultureInvariant)]
    private static partial Regex Llama3Regex();

    [GeneratedRegex(OneDigit, RegexOptions.CultureInvariant)]
    private static partial Regex OneDigitRegex();

    [GeneratedRegex(Digits, RegexOptions.CultureInvariant)]
    private static partial Regex DigitsRegex();
}
