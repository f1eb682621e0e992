using System.Globalization;
using System.Text.Json;
using System.Xml.Linq;

namespace ModelCompiler.Cli.Tests;

/// <summary>The page of <c>mc plan --report</c>, read as the XML that it is.</summary>
public sealed class PlanPageTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("plan-page").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void The_categories_of_the_fullest_moment_add_up_to_the_lower_bound()
    {
        (JsonElement json, XElement[] elements) = Draw("Llama2_7B_QLora --batch 4 --sequence 2048 --optimizer paged");
        XElement table = elements.First(e => e.Name.LocalName == "table");
        string[][] rows = [.. table.Descendants().Where(e => e.Name.LocalName == "tr").Skip(1).Select(row => row.Elements().Select(cell => cell.Value).ToArray())];
        Assert.Equal(
            ["pages of moments", "transient values", "residual gradient", "saved values", "kept inputs", "overhead", "inputs", "workspace", "optimizer", "gradients", "adapters", "frozen weights"],
            rows.Select(row => row[0]));
        Assert.Equal(json.GetProperty("lowerBound").GetInt64(), rows.Sum(row => long.Parse(row[1], NumberStyles.AllowThousands, CultureInfo.InvariantCulture)));
        Assert.Equal("0", rows[0][1]);
    }

    [Fact]
    public void Every_part_of_every_layer_has_a_field_and_what_runs_again_a_bar()
    {
        XElement picture = Draw("Llama2_7B_QLora --batch 1 --sequence 512 --checkpointing 4").Elements.First(e => e.Name.LocalName == "svg");
        string[] fields = [.. Rectangles(picture, "field").Select(f => f.Value)];

        // Of eight segments of four layers three run again; beside the layers there are the embedding, the loss and the update.
        Assert.Equal(32 + 32 + 8 * 3 + 3, fields.Length);
        Assert.Equal(8 * 3, Rectangles(picture, "recomputed").Count());
        Assert.Contains(fields, f => f.StartsWith("forward of layer 30, again: at most", StringComparison.Ordinal));
        Assert.DoesNotContain(fields, f => f.StartsWith("forward of layer 31, again", StringComparison.Ordinal));
        Assert.Empty(Rectangles(Draw("Llama2_7B_QLora --sequence 512").Elements.First(e => e.Name.LocalName == "svg"), "recomputed"));
    }

    [Fact]
    public void The_mark_stands_on_the_stack_where_it_is_highest()
    {
        foreach (string plan in new[] { "Llama_65B --sequence 256", "Stories260K_Lora --batch 32 --sequence 128 --checkpointing none", "Falcon_40B_QDyLora --checkpointing 8" })
        {
            foreach (XElement picture in Draw(plan).Elements.Where(e => e.Name.LocalName == "svg"))
            {
                // The outline of the topmost category: M x y, then pairs of H x and V y.
                string outline = picture.Elements().Last(e => e.Name.LocalName == "path").Attribute("d")!.Value;
                double[] heights = [.. outline.TrimEnd('Z').Split('V').Skip(1).Select(v => double.Parse(v.Split('H')[0], CultureInfo.InvariantCulture)), double.Parse(outline.Split(' ')[1].Split('H')[0], CultureInfo.InvariantCulture)];
                XElement mark = picture.Elements().Single(e => e.Name.LocalName == "circle");
                Assert.Equal(heights.Min(), (double)mark.Attribute("cy")!, 0.11);
            }
        }
    }

    [Fact]
    public void The_page_needs_nothing_beside_it_and_the_same_plan_is_the_same_page()
    {
        const string plan = "Stories260K_Dora --batch 4 --sequence 128";
        (_, XElement[] elements) = Draw(plan);
        string page = File.ReadAllText(PagePath);
        Draw(plan);
        Assert.Equal(page, File.ReadAllText(PagePath));
        Assert.StartsWith("<!DOCTYPE html>\n<html", page, StringComparison.Ordinal);
        Assert.DoesNotContain("src=", page, StringComparison.Ordinal);
        Assert.DoesNotContain("href", page, StringComparison.Ordinal);
        Assert.DoesNotContain(elements, e => e.Name.LocalName == "script");
        Assert.Equal(2, elements.Count(e => e.Name.LocalName == "svg"));
    }

    [Fact]
    public void A_page_that_cannot_be_written_is_refused()
    {
        Mc.Run(["plan", "Stories260K_Lora", "--report", Path.Combine(_folder, "page.txt")]).AssertRefused(2, "ends in .html");
        Mc.Run(["plan", "Stories260K_Lora", "--report", Path.Combine(_folder, "none", "page.html")]).AssertRefused(2, "its folder does not exist");
        Mc.Run(["plan", "Llama2_7B_QLora", "--estimator", "gelato", "--report", PagePath]).AssertRefused(2, "--report", "gelato");
        Assert.False(File.Exists(PagePath));
    }

    private string PagePath => Path.Combine(_folder, "page.html");

    private (JsonElement Json, XElement[] Elements) Draw(string plan)
    {
        JsonElement json = Mc.Run(["plan", .. plan.Split(' '), "--json", "--report", PagePath]).Json();
        return (json, [.. XDocument.Load(PagePath).Descendants()]);
    }

    private static IEnumerable<XElement> Rectangles(XElement picture, string style) =>
        picture.Elements().Where(e => e.Name.LocalName == "rect" && (string?)e.Attribute("class") == style);
}
