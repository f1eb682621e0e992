using System.Reflection;
using ModelCompiler.CommandLine.Quickstart.Documentation;
using ModelCompiler.HuggingFace.Checkpoints;
using ModelCompiler.HuggingFace.Weights;
using ModelCompiler.Planning;
using ModelCompiler.Safetensors;

namespace ModelCompiler.Tests.Mutations;

/// <summary>
/// Damaged files end in a reader's documented exception or load whole: never another exception, never more than 2 s, never more than 64 MB
/// for a file below 1 MB. 500 cases a reader; MODELCOMPILER_CASES=full runs 10,000.
/// </summary>
public class MutationTests
{
    private static int Cases => Environment.GetEnvironmentVariable("MODELCOMPILER_CASES") == "full" ? 10_000 : 500;

    public static TheoryData<string> Names => [.. Readers.All.Select(r => r.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void Damage_is_a_documented_error(string name)
    {
        List<string> failures = MutationRun.Run(Readers.All.Single(r => r.Name == name), Cases);
        Assert.True(failures.Count == 0, string.Join('\n', failures));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void What_is_damaged_is_right_before(string name)
    {
        using var folder = new Files.TemporaryFolder();
        MutatedReader reader = Readers.All.Single(r => r.Name == name);
        reader.Prepare(folder)();
        Assert.All(reader.Files, file => Assert.True(File.Exists(folder.File(file)), file));
    }

    [Fact]
    public void Every_public_reader_has_an_entry()
    {
        string[] names = [.. new[] { typeof(ByteSize), typeof(SafetensorsFile), typeof(Checkpoint), typeof(ReferenceDocumentation) }.SelectMany(t => t.Assembly.GetExportedTypes())
            .SelectMany(t => t.GetMethods(BindingFlags.Public | BindingFlags.Static | BindingFlags.DeclaredOnly))
            .Where(m => m.GetParameters().Any(p => p.ParameterType == typeof(string)) && Prefixes.Any(p => m.Name.StartsWith(p, StringComparison.Ordinal)))
            .Select(m => $"{m.DeclaringType!.Name}.{m.Name}")
            .Distinct()];

        Assert.Empty(names.Except(Readers.All.SelectMany(r => r.Covers)));
        Assert.Empty(Readers.All.SelectMany(r => r.Covers).Except(names));
    }

    private static string[] Prefixes => ["Load", "Read", "Parse", "Open", "TryParse", "Completed", "ChooseRanks", "FromFile", "Ranks"];
}
