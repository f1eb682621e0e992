using System.Diagnostics;
using System.Text.Json;
using ModelCompiler.CommandLine.Terminal;
using ModelCompiler.Models;
using ModelCompiler.Tests;

namespace ModelCompiler.Cli.Tests;

/// <summary>
/// What a run's process holds at most is what its plan says: <c>mc train</c> as a process of its own, over everything in the gallery that a small base
/// exists for. Linux: elsewhere resident memory is counted in other ways.
/// </summary>
public class ResidentTests(TinyBase tiny) : IClassFixture<TinyBase>
{
    private const double Least = 0.9;
    private const long SmallestPlan = 60L << 20;

    public static TheoryData<string, string> Runs
    {
        get
        {
            Gallery.Register();
            var runs = new TheoryData<string, string>();
            foreach (ModelEntry model in ModelRegistry.All.Where(m => m.Tables.Architecture is "Stories260K" or "DocsWriter"))
            {
                runs.Add(model.Name, "--batch 4 --sequence 128 --threads 2");
            }

            runs.Add("Stories260K_Lora", "--batch 16 --sequence 256 --threads 1");
            runs.Add("Stories260K_Dora", "--batch 32 --sequence 128 --threads 2 --checkpointing none");
            runs.Add("Stories260K", "--batch 8 --sequence 512 --threads 2 --optimizer paged");
            runs.Add("DocsWriter_Lora", "--batch 16 --sequence 128 --threads 2 --checkpointing none");
            runs.Add("DocsWriter", "--batch 16 --sequence 128 --threads 1");
            return runs;
        }
    }

    [Theory]
    [MemberData(nameof(Runs))]
    public void The_peak_of_the_process_is_at_most_the_plans_and_within_a_tenth(string model, string plan) => Check(model, plan, tiny.Data);

    [Fact]
    public void Data_of_many_rows_is_part_of_the_peak()
    {
        string rows = tiny.Write("many.jsonl", string.Concat(Enumerable.Range(0, 5000).Select(i => $"{{\"prompt\": \"say {i}: red blue green\", \"completion\": \"one two three {i * 7} cat dog\"}}\n")));
        JsonElement few = Check("Stories260K_Lora", "--batch 8 --sequence 128 --threads 1", tiny.Data);
        JsonElement many = Check("Stories260K_Lora", "--batch 8 --sequence 128 --threads 1", rows);
        Assert.Equal(few.GetProperty("predicted").GetInt64(), many.GetProperty("predicted").GetInt64());
        Assert.True(many.GetProperty("data").GetInt64() > few.GetProperty("data").GetInt64() + 5000 * 20 * sizeof(int));
    }

    private JsonElement Check(string model, string plan, string data)
    {
        string output = tiny.NewFolder();
        string folder = model.StartsWith("DocsWriter", StringComparison.Ordinal) ? Path.Combine(TestData.Repository, "models", "quickstart") : tiny.Base;
        JsonElement memory = Run(["train", model, "--base", folder, "--data", data, "--out", output, "--steps", "2", "--truncate", "--json", .. plan.Split(' ')]).GetProperty("memory");
        (long peak, long resident) = (memory.GetProperty("peak").GetInt64(), memory.GetProperty("resident").GetInt64());
        Assert.Equal(memory.GetProperty("predicted").GetInt64(), memory.GetProperty("allocated").GetInt64());
        Assert.Equal(peak, memory.GetProperty("predicted").GetInt64() + memory.GetProperty("data").GetInt64() + memory.GetProperty("overhead").GetInt64());
        if (OperatingSystem.IsLinux() && Environment.GetEnvironmentVariable("DOTNET_gcServer") is null)
        {
            Assert.True(resident <= peak, $"{model} {plan}: {resident} bytes resident, {peak} planned");
            Assert.True(peak < SmallestPlan || resident >= Least * peak, $"{model} {plan}: {resident} bytes resident are less than nine tenths of {peak} planned");
        }

        return memory;
    }

    private JsonElement Run(string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["XDG_CACHE_HOME"] = Path.Combine(tiny.Folder, "cache");
        start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory.Replace("tests/ModelCompiler.Cli.Tests", "src/ModelCompiler.Cli", StringComparison.Ordinal), "mc.dll"));
        foreach (string argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        using Process process = Process.Start(start)!;
        string output = process.StandardOutput.ReadToEnd();
        string error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"{string.Join(' ', arguments)}: {error}");
        return JsonDocument.Parse(output).RootElement;
    }
}
