using System.Xml.Linq;
using ModelCompiler.CommandLine.Results;
using ModelCompiler.CommandLine.Terminal;
using ModelCompiler.Files;
using ModelCompiler.Planning;

namespace ModelCompiler.CommandLine.Reports;

/// <summary>The result of <c>mc plan</c> as one HTML page: memory over a training step, its categories, and what lies in memory at the fullest moment.</summary>
internal static class PlanPage
{
    private const int LargestShown = 12;
    private const int AllHeight = 240;
    private const int PassingHeight = 340;

    private const string Style = """
        svg .grid { stroke: var(--line); }
        svg .phase { stroke: var(--soft); stroke-opacity: .5; stroke-dasharray: 2 3; }
        svg .phase-name { font-weight: 600; }
        svg .planned { stroke: var(--ink); stroke-dasharray: 6 4; }
        svg .planned-size, svg .note { font-weight: 600; }
        svg line.mark { stroke: var(--ink); stroke-opacity: .6; }
        svg circle.mark { fill: var(--paper); stroke: var(--ink); stroke-width: 2; }
        svg { max-width: 100%; height: auto; }
        svg .recomputed { fill: var(--soft); }
        svg .field { fill: var(--ink); fill-opacity: 0; }
        svg .field:hover { fill-opacity: .12; }
        td i { display: inline-block; width: .8em; height: .8em; border-radius: 2px; margin-right: .5em; }
        .weights { fill: #5b7289; background: #5b7289; }
        .adapters { fill: #2f7ed8; background: #2f7ed8; }
        .gradients { fill: #1fa39a; background: #1fa39a; }
        .optimizer { fill: #8063c5; background: #8063c5; }
        .workspace { fill: #b08d57; background: #b08d57; }
        .inputs { fill: #7d8f3a; background: #7d8f3a; }
        .overhead { fill: #98a3ad; background: #98a3ad; }
        .kept { fill: #3f9b4f; background: #3f9b4f; }
        .saved { fill: #e0a030; background: #e0a030; }
        .residual { fill: #c2488f; background: #c2488f; }
        .transient { fill: #e0572f; background: #e0572f; }
        .pages { fill: #b39ddb; background: #b39ddb; }

        """;

    private static readonly XNamespace s_html = ReportPage.Html;

    /// <summary>Writes the page.</summary>
    /// <exception cref="OutputException">It cannot be written.</exception>
    public static void Write(string path, PlanResult result, Plan plan)
    {
        LiveBytes[] operations = [.. LiveSet.Operations(plan)];
        LiveBytes fullest = operations.MaxBy(o => o.Total);
        (string Name, string Style, Func<LiveBytes, long> Bytes)[] categories = [.. Categories(plan).Where(c => operations.Any(o => c.Bytes(o) > 0))];
        string runs = StepText.Operation(plan, fullest);
        long live = LiveSet.Persistent(plan) + fullest.Total;
        (string Style, Func<LiveBytes, long> Bytes)[] passing = [.. categories.Where(c => operations.Any(o => c.Bytes(o) != c.Bytes(fullest))).Select(c => (c.Style, c.Bytes))];
        ReportPage.Write(
            path,
            $"{result.Recipe}: memory of a training step",
            Style,
            new XElement(s_html + "p", $"{char.ToUpperInvariant(result.Plan.InWords()[0])}{result.Plan.InWords()[1..]}."),
            new XElement(
                s_html + "p",
                $"The plan takes {ByteSize.Format(result.Peak)}. The most is live in {runs}: {ByteSize.Format(live)}. No placement could take less; the plan takes " +
                $"{Tables.Number((double)result.Peak / live, 4)} times that."),
            new XElement(
                s_html + "figure",
                new MemoryTimeline(operations, [.. categories.Select(c => (c.Style, c.Bytes))], result.Peak, AllHeight)
                    .Draw("Live bytes over the operations of a training step", $"{ByteSize.Format(live)}: {runs}")),
            new XElement(s_html + "h2", "What comes and goes"),
            new XElement(
                s_html + "p",
                "Each column shows the fullest of its operations, and the chunks of the loss take little of the width" +
                (plan.Stack.Segments is null ? "." : "; a bar below is under layers that run forward again.")),
            new XElement(
                s_html + "figure",
                new MemoryTimeline(operations, passing, plan.Cost.Activations, PassingHeight)
                    .Draw("Live activations over the operations of a training step", $"{ByteSize.Format(fullest.Total)}: {runs}")),
            new XElement(s_html + "h2", "Live at that moment, and at most"),
            new XElement(
                s_html + "table",
                new XElement(s_html + "thead", ReportPage.Row("th", 1, "category", "bytes then", "", "most in the step")),
                new XElement(s_html + "tbody", categories.Reverse().Select(c => ReportPage.Row(
                    "td",
                    1,
                    new object[] { new XElement(s_html + "i", new XAttribute("class", c.Style), ""), c.Name },
                    Tables.Count(c.Bytes(fullest)),
                    ByteSize.Format(c.Bytes(fullest)),
                    ByteSize.Format(operations.Max(c.Bytes)))))),
            Largest(plan, fullest));
    }

    /// <summary>What is stacked, from below: what is live in all of the step, then what comes and goes.</summary>
    private static (string Name, string Style, Func<LiveBytes, long> Bytes)[] Categories(Plan plan)
    {
        MemoryCost cost = plan.Cost;
        long pages = LiveSet.PageBytes(plan);
        return
        [
            ("frozen weights", "weights", _ => cost.FrozenWeights),
            (plan.Tables.Slots.Length == 0 ? "parameters" : "adapters", "adapters", _ => cost.Adapters),
            ("gradients", "gradients", _ => cost.Gradients),
            ("optimizer", "optimizer", _ => cost.Optimizer - pages),
            ("workspace", "workspace", _ => cost.Workspace),
            ("inputs", "inputs", _ => cost.Inputs),
            ("overhead", "overhead", _ => cost.Overhead),
            ("kept inputs", "kept", o => o.KeptInputs),
            ("saved values", "saved", o => o.Saved),
            ("residual gradient", "residual", o => o.ResidualGradient),
            ("transient values", "transient", o => o.Transient),
            ("pages of moments", "pages", o => o.Pages),
        ];
    }

    /// <summary>The largest buffers of the frame that runs at the fullest moment.</summary>
    private static IEnumerable<XElement> Largest(Plan plan, LiveBytes fullest)
    {
        if (LiveSet.FrameOf(plan, fullest) is not { } frame)
        {
            yield break;
        }

        int[] rows = [.. LiveSet.LiveRows(frame, fullest.Position).OrderByDescending(i => frame.Bytes[i]).Take(LargestShown)];
        yield return new XElement(s_html + "h2", $"The largest buffers of the frame that runs then, the {StepText.Region(fullest)}");
        yield return new XElement(
            s_html + "table",
            new XElement(s_html + "thead", ReportPage.Row("th", 2, "buffer", "shape", "bytes", "")),
            new XElement(s_html + "tbody", rows.Select(i => ReportPage.Row(
                "td", 2, frame.Table.Buffers[i].Name, $"[{frame.Table.Buffers[i].Rows}, {frame.Table.Buffers[i].Columns}]", Tables.Count(frame.Bytes[i]), ByteSize.Format(frame.Bytes[i])))));
    }
}
