using System.Diagnostics;
using System.Text.RegularExpressions;
using ModelCompiler.Tokenizers;

namespace ModelCompiler.HuggingFace.Tokenizers;

/// <summary>Cuts text into words; merges never cross their borders. Each step cuts the pieces of the one before.</summary>
internal sealed class PreTokenizer
{
    private const int MostGivenUp = 3;

    private readonly (Regex Pattern, SplitStep Step)[] _steps;
    private readonly CategoryShadow _shadow;
    private readonly string _file;
    private int _givenUp;

    /// <param name="steps">In order of use; none leaves the text whole.</param>
    /// <param name="file">For messages.</param>
    /// <exception cref="TokenizerException">A pattern is not supported.</exception>
    public PreTokenizer(IEnumerable<SplitStep> steps, string file)
    {
        (SplitPattern Pattern, SplitStep Step)[] compiled = [.. steps.Select(s => (SplitPatterns.Compile(s.Pattern, file), s))];
        _steps = [.. compiled.Select(s => (s.Pattern.Regex, s.Step))];
        _shadow = new CategoryShadow([.. compiled.Select(s => s.Pattern.Named)], file);
        _file = file;
    }

    /// <summary>The words of a text, in order; those of steps that remove nothing cover it.</summary>
    /// <exception cref="TokenizerException">A pattern takes too long on the text.</exception>
    public List<Range> Split(string text)
    {
        if (text.Length == 0)
        {
            return [];
        }

        if (Volatile.Read(ref _givenUp) >= MostGivenUp)
        {
            // Thousands of such texts would take hours to refuse one by one.
            throw new TokenizerException($"{_file}: the pre-tokenizer's patterns took too long on {MostGivenUp} texts before; use patterns that do not backtrack");
        }

        (string matched, int[]? origin) = _shadow.Of(text);
        List<Range> pieces = [0..matched.Length];
        foreach ((Regex pattern, SplitStep step) in _steps)
        {
            var finer = new List<Range>();
            foreach (Range piece in pieces)
            {
                Split(pattern, step, matched.AsSpan(piece), piece.Start.Value, finer);
            }

            pieces = finer;
        }

        return origin is null ? pieces : [.. pieces.Select(p => origin[p.Start.Value]..origin[p.End.Value])];
    }

    private void Split(Regex pattern, SplitStep step, ReadOnlySpan<char> text, int offset, List<Range> pieces)
    {
        int before = pieces.Count;
        for (int attempt = 1; ; attempt++)
        {
            try
            {
                var cut = new SplitCut(step, offset, pieces);
                Match(pattern, step, text, ref cut);
                cut.End();
                return;
            }
            catch (RegexMatchTimeoutException error)
            {
                // A machine that slept or was overloaded gets a second try.
                pieces.RemoveRange(before, pieces.Count - before);
                if (attempt == 2)
                {
                    throw TooSlow(step, text.Length, error);
                }
            }
        }
    }

    /// <summary>Feeds matches and what lies between them, empty matches too, since they cut.</summary>
    private void Match(Regex pattern, SplitStep step, ReadOnlySpan<char> text, ref SplitCut cut)
    {
        bool bounded = pattern.MatchTimeout != Regex.InfiniteMatchTimeout;
        long start = bounded ? Stopwatch.GetTimestamp() : 0;
        int reached = 0;
        int matches = 0;
        foreach (ValueMatch match in pattern.EnumerateMatches(text))
        {
            // Oniguruma's iterator passes over an empty match at the end of the match before.
            if (match.Length == 0 && match.Index == reached && matches > 0)
            {
                continue;
            }

            if (match.Index > reached)
            {
                cut.Add(reached, match.Index, isMatch: step.Inverted);
            }

            reached = match.Index + match.Length;
            cut.Add(match.Index, reached, isMatch: !step.Inverted);
            matches++;
            if (bounded && Stopwatch.GetElapsedTime(start) > SplitPatterns.LimitOf(text.Length))
            {
                throw TooSlow(step, text.Length, null);
            }
        }

        if (reached < text.Length)
        {
            cut.Add(reached, text.Length, isMatch: step.Inverted);
        }
    }

    private TokenizerException TooSlow(SplitStep step, int length, Exception? cause)
    {
        Interlocked.Increment(ref _givenUp);
        return new TokenizerException(
            $"{_file}: the pre-tokenizer's pattern '{TokenizerFile.Shorten(step.Pattern)}' takes too long on a text of {length} characters; it backtracks, use a pattern that does not", cause);
    }
}
