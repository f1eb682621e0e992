using ModelCompiler.CommandLine.Results;
using ModelCompiler.CommandLine.Runs;
using ModelCompiler.CommandLine.Terminal;
using Spectre.Console;

namespace ModelCompiler.CommandLine.Quickstart;

/// <summary>What the quickstart shows to people.</summary>
internal static class QuickstartReport
{
    /// <summary>Shows everything.</summary>
    public static void Show(IAnsiConsole console, QuickstartResult result, int steps, int heldOutRows)
    {
        (double before, double after) = (result.Loss.Before!.Value, result.Loss.After!.Value);
        Results.BitsPerByte bits = result.BitsPerByte;
        Table table = Tables.Create(result.Recipe, "");
        table.AddRow("parameters", $"{Tables.Count(result.Parameters.Total)}, {Tables.Count(result.Parameters.Trainable)} of them trained");
        table.AddRow("trained on", $"{Tables.Count(result.Tokens)} tokens in {steps} steps, {Tables.Count((long)result.TokensPerSecond)} tokens/s");
        table.AddRow("held-out loss", $"{Tables.Number(before, 4)} before, {Tables.Number(after, 4)} after: {Tables.Number(100 * (1 - (after / before)), 1)} % lower, over {heldOutRows} members");
        table.AddRow("bits per byte", $"{Tables.Number(bits.Before, 3)} before, {Tables.Number(bits.After, 3)} after");
        table.AddRow("base on plain held-out prose", $"{Tables.Number(bits.Prose, 3)} bits per byte");
        table.AddRow("memory predicted", Tables.Bytes(result.Memory.Predicted));
        table.AddRow("memory allocated", Tables.Bytes(result.Memory.Allocated));
        table.AddRow("time", $"{Tables.Number(result.Seconds, 1)} s");
        console.Write(table);
        foreach (Sample sample in result.Samples)
        {
            console.WriteLine(sample.Prompt);
            console.WriteLine($"  base       {OneLine(sample.Before)}");
            console.WriteLine($"  tuned      {OneLine(sample.After)}");
            console.WriteLine($"  reference  {OneLine(sample.Reference)}");
            console.WriteLine();
        }

        console.WriteLine($"adapter: {result.AdapterPath}");
        console.WriteLine(result.GeneratedFiles.Length == 0 ? $"generated code: {GeneratedFiles.HowTo}" : "generated code:");
        foreach (string file in result.GeneratedFiles)
        {
            console.WriteLine("  " + file);
        }
    }

    private static string OneLine(string text) => text.ReplaceLineEndings(" ");
}
