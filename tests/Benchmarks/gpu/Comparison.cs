using System.Diagnostics;
using System.Text.Json;
using ModelCompiler.Cuda;
using ModelCompiler.Cuda.Driver;

namespace ModelCompiler.GpuBenchmarks;

/// <summary>Measures, lets a peer measure the same, prints one table and writes it as JSON.</summary>
internal static class Comparison
{
    private static readonly JsonSerializerOptions s_json = new() { PropertyNamingPolicy = JsonNamingPolicy.CamelCase, WriteIndented = true };

    private sealed record Row(string Name, string Unit, double? Ours, double? Peer, double? Ratio);

    private sealed record Results(string Device, string Peer, IReadOnlyList<Row> Figures);

    /// <param name="json">Where the table is written.</param>
    /// <param name="peer">A Python script that prints one JSON object a line: name, unit, value; null: none.</param>
    public static int Run(string json, string? peer)
    {
        string device = CudaDevice.All()[0].Name;
        List<Figure> ours = [.. KernelFigures.All(), .. StepFigures.All()];
        (string name, List<Figure> theirs) = peer is null ? ("", []) : Peer(peer);
        List<Row> rows =
        [
            .. ours.Select(figure => Compare(figure, theirs.FirstOrDefault(other => other.Name == figure.Name))),
            .. theirs.Where(other => ours.All(figure => figure.Name != other.Name)).Select(other => new Row(other.Name, other.Unit, null, other.Value, null)),
        ];
        Console.WriteLine($"{device}{(peer is null ? "" : $"; peer: {name}")}");
        Console.WriteLine($"{"",-44} {"unit",-10} {"ours",12} {"peer",12} {"ratio",7}");
        foreach (Row row in rows)
        {
            Console.WriteLine($"{row.Name,-44} {row.Unit,-10} {row.Ours,12:G5} {row.Peer,12:G5} {row.Ratio,7:F2}");
        }

        string temporary = json + ".partial";
        File.WriteAllText(temporary, JsonSerializer.Serialize(new Results(device, name, rows), s_json));
        File.Move(temporary, json, overwrite: true);
        return 0;
    }

    private static Row Compare(Figure ours, Figure? theirs) =>
        new(ours.Name, ours.Unit, ours.Value, theirs?.Value, theirs is null ? null : ours.Value / theirs.Value);

    private static (string Name, List<Figure> Figures) Peer(string script)
    {
        using Process process = Process.Start(new ProcessStartInfo("python3", [script]) { RedirectStandardOutput = true })!;
        string[] lines = process.StandardOutput.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        process.WaitForExit();
        if (process.ExitCode != 0 || lines.Length == 0)
        {
            throw new InvalidOperationException($"python3 {script} ended with exit code {process.ExitCode} and {lines.Length} lines.");
        }

        var options = new JsonSerializerOptions(JsonSerializerDefaults.Web);
        return (lines[0], [.. lines[1..].Select(line => JsonSerializer.Deserialize<Figure>(line, options)!)]);
    }
}
