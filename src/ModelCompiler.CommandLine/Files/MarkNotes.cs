using ModelCompiler.CommandLine.Terminal;
using ModelCompiler.Tokenizers;

namespace ModelCompiler.CommandLine.Files;

/// <summary>Tells people what became of marks and special tokens that texts spell.</summary>
internal static class MarkNotes
{
    /// <summary>Writes a line for each kind there is.</summary>
    /// <param name="session">Where to.</param>
    /// <param name="source">Where the texts are from.</param>
    /// <param name="marks">What was counted.</param>
    public static void Say(Session session, string source, TextMarks marks)
    {
        Say(session, source, marks.Begun, "texts that begin with the tokenizer's begin mark, which was not added again");
        Say(session, source, marks.Ended, "texts that end with the tokenizer's end mark, which was not added again");
        Say(session, source, marks.SpelledAsText, "texts that spell special tokens, which are text there and not tokens");
    }

    private static void Say(Session session, string source, int count, string what)
    {
        if (count > 0)
        {
            session.Error.WriteLine($"{source}: {what}: {Tables.Count(count)}");
        }
    }
}
