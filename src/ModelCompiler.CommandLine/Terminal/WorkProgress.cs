using System.Diagnostics;
using Spectre.Console;

namespace ModelCompiler.CommandLine.Terminal;

/// <summary>Shows how far long work is: a bar on a terminal, else a line now and then.</summary>
internal static class WorkProgress
{
    private static readonly TimeSpan s_betweenLines = TimeSpan.FromSeconds(10);

    /// <summary>Runs work that says how many of its parts are done and how it goes.</summary>
    /// <param name="session">Where to show it: standard error.</param>
    /// <param name="title">What is done.</param>
    /// <param name="total">Its parts.</param>
    /// <param name="work">Takes a function to call with the parts done and a few words.</param>
    public static T Run<T>(Session session, string title, int total, Func<Action<int, string>, T> work)
    {
        if (!session.ErrorIsTerminal)
        {
            return work(Lines(session.Error, title, total));
        }

        return session.ErrorConsole().Progress()
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
            .Start(context =>
            {
                ProgressTask task = context.AddTask(Markup.Escape(title), maxValue: total);
                return work((done, status) =>
                {
                    task.Description = Markup.Escape($"{title}  {status}");
                    task.Value = done;
                });
            });
    }

    private static Action<int, string> Lines(TextWriter writer, string title, int total)
    {
        long start = Stopwatch.GetTimestamp();
        TimeSpan last = -s_betweenLines;
        return (done, status) =>
        {
            TimeSpan elapsed = Stopwatch.GetElapsedTime(start);
            if (elapsed - last < s_betweenLines && done < total)
            {
                return;
            }

            last = elapsed;
            string left = done < total && done > 0 ? $", {elapsed / done * (total - done):h\\:mm\\:ss} left" : "";
            writer.WriteLine($"{title}  {done}/{total}  {status}{left}");
        };
    }
}
