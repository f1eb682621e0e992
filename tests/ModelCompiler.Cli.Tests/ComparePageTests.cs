using System.Globalization;
using System.Text.Json;
using System.Xml.Linq;
using ModelCompiler.CommandLine.Estimators.PyTorch;
using ModelCompiler.CommandLine.Reports;
using ModelCompiler.CommandLine.Results;

namespace ModelCompiler.Cli.Tests;

/// <summary>The page of <c>mc compare --report</c>, read as the XML that it is.</summary>
public class ComparePageTests(TinyBase tiny) : IClassFixture<TinyBase>
{
    [Fact]
    public void Every_method_has_its_row_and_every_chosen_rank_its_cell()
    {
        string page = Path.Combine(tiny.Folder, "page.html");
        string[] line = ["compare", "--base", tiny.Base, "--data", tiny.Data, "--methods", "LaMDA++", "LaMDA", "--steps", "1", "--sequence", "64", "--threads", "1", "--report", page, "--json"];
        JsonElement json = Mc.Run(line).Json();
        JsonElement[] methods = [.. json.GetProperty("methods").EnumerateArray()];
        XElement[] elements = [.. XDocument.Load(page).Descendants()];

        string[][] rows = [.. elements.Where(e => e.Name.LocalName == "tr").Select(row => row.Elements().Select(cell => cell.Value).ToArray())];
        Assert.Equal(methods.Select(m => m.GetProperty("name").GetString()), rows.Skip(1).Select(row => row[0]));
        Assert.Equal(methods.Select(m => m.GetProperty("trainable").GetInt64().ToString("N0", CultureInfo.InvariantCulture)), rows.Skip(1).Select(row => row[2]));
        Assert.Equal(methods.Select(m => m.GetProperty("meanLoss").GetDouble().ToString("F4", CultureInfo.InvariantCulture)), rows.Skip(1).Select(row => row[^1]));

        XElement picture = Assert.Single(elements, e => e.Name.LocalName == "svg");
        Dictionary<(string, int), int> cells = Cells(picture).ToDictionary(c => (c.Projection, c.Layer), c => c.Rank);
        JsonElement ranks = methods.Single(m => m.TryGetProperty("ranks", out _)).GetProperty("ranks");
        Assert.Equal(35, cells.Count);
        foreach (JsonProperty projection in ranks.EnumerateObject())
        {
            for (int layer = 0; layer < 5; layer++)
            {
                JsonElement rank = projection.Value.ValueKind == JsonValueKind.Number ? projection.Value : projection.Value.GetProperty(layer.ToString(CultureInfo.InvariantCulture));
                Assert.Equal(rank.GetInt32(), cells[(projection.Name, layer)]);
            }
        }

        string text = File.ReadAllText(page);
        Assert.StartsWith("<!DOCTYPE html>\n<html", text, StringComparison.Ordinal);
        Assert.DoesNotContain("src=", text, StringComparison.Ordinal);
        Assert.DoesNotContain("href", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Names_are_escaped_the_head_comes_last_and_the_same_result_is_the_same_page()
    {
        AdapterRanks[] same = [new("Attention.Query", [(0, 4), (1, 4)])];
        AdapterRanks[] ranks = [new("Attention.Query", [(1, 0), (2, 12), (3, 3)]), new("Head", [(-1, 7)])];
        var memory = new PlannedMemory(1024, 2048);
        var result = new CompareResult(
            "A<b> & \"c\"", 1, 2, 2.5,
            [
                new("Plain", "LoRA", 10, 20, memory, 100, [2, 3], 2.5, 0.70711, []),
                new("Same", "L1RA", 10, 20, memory, 100, [2, 3], 2.5, 0.70711, same),
                new("Mine", "<script>", 1_234, 20, memory, 100, [2, 3], 2.5, 0.70711, ranks),
            ],
            new DataCounts(60, 0, 0, 60, 1_000, []),
            EvalData: null);
        string first = Path.Combine(tiny.Folder, "first.html");
        string second = Path.Combine(tiny.Folder, "second.html");
        ComparePage.Write(first, result);
        ComparePage.Write(second, result);
        Assert.Equal(File.ReadAllBytes(first), File.ReadAllBytes(second));

        XElement[] elements = [.. XDocument.Load(first).Descendants()];
        Assert.Equal("A<b> & \"c\": methods compared", elements.Single(e => e.Name.LocalName == "h1").Value);
        Assert.DoesNotContain(elements, e => e.Name.LocalName == "script");
        Assert.Equal(["Mine", "<script>", "1,234", "20", "1.00 KiB", "2.00 KiB", "100", "2.5000 ± 0.7071"], elements.Last(e => e.Name.LocalName == "tr").Elements().Select(cell => cell.Value));
        Assert.Equal(
            ["2 adapters, all of rank 4, as they were after training with the first seed.", "4 adapters of rank 0 to 12, 5.5 on average, as they were after training with the first seed."],
            elements.Where(e => e.Name.LocalName == "p").Skip(1).Select(e => e.Value));
        XElement picture = elements.Last(e => e.Name.LocalName == "svg");
        Assert.Equal([("Attention.Query", 1, 0), ("Attention.Query", 2, 12), ("Attention.Query", 3, 3), ("Head", -1, 7)], Cells(picture));
        Assert.Equal(["Attention", "Query", "Head", "layer 1", "layer 2", "layer 3", "head", "0", "12", "3", "7", "rank", "0", "12"], Texts(picture).Select(t => t.Value));

        // The largest rank is the darkest, none the lightest, and the head's cell is below the last layer's.
        XElement[] cells = [.. picture.Descendants().Where(e => (string?)e.Attribute("class") == "cell")];
        Assert.Equal(["#f0f5fb", "#104480"], cells.Take(2).Select(c => (string)c.Attribute("fill")!));
        Assert.Equal((int)cells[2].Attribute("y")! + 24, (int)cells[3].Attribute("y")!);
    }

    [Fact]
    public void A_page_that_cannot_be_written_is_refused_before_anything_is_trained()
    {
        void Refused(string path, params string[] words) =>
            Mc.Run(["compare", "--base", tiny.Base, "--data", tiny.Data, "--report", path]).AssertRefused(2, words);

        Refused(Path.Combine(tiny.NewFolder(), "page.html"), "--report", "its folder does not exist");
        Refused(Path.Combine(tiny.Folder, "page.txt"), "ends in .html");
        string folder = Directory.CreateDirectory(tiny.NewFolder() + ".html").FullName;
        Refused(folder, "name a file");
    }

    private static (string Projection, int Layer, int Rank)[] Cells(XElement picture) =>
        [.. picture.Descendants().Where(e => (string?)e.Attribute("class") == "cell").Select(e => ((string)e.Attribute("data-projection")!, (int)e.Attribute("data-layer")!, (int)e.Attribute("data-rank")!))];

    private static IEnumerable<XElement> Texts(XElement picture) => picture.Descendants().Where(e => e.Name.LocalName == "text");
}
