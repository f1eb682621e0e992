using System.Xml.Linq;
using ModelCompiler.CommandLine.Files;
using ModelCompiler.CommandLine.Runs;
using ModelCompiler.CommandLine.Terminal;
using ModelCompiler.Files;

namespace ModelCompiler.CommandLine.Reports;

/// <summary>What all reports share: one HTML page that needs nothing beside it, is XML too, and follows the reader's light or dark theme.</summary>
internal static class ReportPage
{
    /// <summary>The namespace of the page's elements.</summary>
    public static readonly XNamespace Html = "http://www.w3.org/1999/xhtml";

    /// <summary>The namespace of pictures.</summary>
    public static readonly XNamespace Svg = "http://www.w3.org/2000/svg";

    private const string Style = """

        :root { color-scheme: light dark; --ink: #1c2733; --soft: #55636f; --line: #e3e8ee; --paper: #fff; }
        @media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --soft: #9aa7b4; --line: #2f3943; --paper: #12171d; } }
        body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 62rem; margin: 2.5rem auto; padding: 0 1.25rem; }
        h1 { font-size: 1.5rem; margin: 0 0 .25rem; }
        h2 { font-size: 1.1rem; margin: 2.5rem 0 .25rem; }
        p { margin: 0 0 1rem; color: var(--soft); }
        table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
        th, td { padding: .4rem .75rem .4rem 0; text-align: right; border-bottom: 1px solid var(--line); white-space: nowrap; }
        th { font-weight: 600; color: var(--soft); }
        th.name, td.name { text-align: left; }
        figure { margin: 0; overflow-x: auto; }
        svg text { font-size: 12px; fill: var(--ink); }
        svg .label { fill: var(--soft); }

        """;

    /// <summary>Refuses a path that a page cannot be written to, before the work that leads there.</summary>
    /// <param name="path">The file of --report.</param>
    /// <param name="basePath">The folder of --base, if any.</param>
    /// <exception cref="UsageException">It does not end in .html, is a folder, lies in none or in the base's.</exception>
    public static void Check(string path, string? basePath)
    {
        if (!path.EndsWith(".html", StringComparison.OrdinalIgnoreCase) || Directory.Exists(path))
        {
            throw new UsageException($"--report writes a page: name a file that ends in .html, not '{path}'");
        }

        if (Path.GetDirectoryName(Path.GetFullPath(path)) is not { } folder || !Directory.Exists(folder))
        {
            throw new UsageException($"--report '{path}': its folder does not exist; make it first");
        }

        OutputFolder.RequireOutside("--report", path, "--base", basePath);
    }

    /// <summary>Writes a page.</summary>
    /// <param name="path">The file.</param>
    /// <param name="title">Its title and headline.</param>
    /// <param name="style">What its style adds to the shared one.</param>
    /// <param name="body">What follows the headline.</param>
    /// <exception cref="OutputException">It cannot be written.</exception>
    public static void Write(string path, string title, string style, params ReadOnlySpan<object?> body)
    {
        var page = new XElement(
            Html + "html",
            new XAttribute("lang", "en"),
            new XElement(
                Html + "head",
                new XElement(Html + "meta", new XAttribute("charset", "utf-8")),
                new XElement(Html + "title", title),
                new XElement(Html + "style", Style + style)),
            new XElement(Html + "body", new XElement(Html + "h1", title), body.ToArray()));
        AtomicFile.WriteText(path, $"<!DOCTYPE html>\n{page}\n");
    }

    /// <summary>A row of a table whose first columns are text.</summary>
    /// <param name="cell">The cells' element, td or th.</param>
    /// <param name="names">How many columns are text.</param>
    /// <param name="cells">The cells' content.</param>
    public static XElement Row(string cell, int names, params object[] cells) =>
        new(Html + "tr", cells.Select((content, column) => new XElement(Html + cell, column < names ? new XAttribute("class", "name") : null, content)));
}
