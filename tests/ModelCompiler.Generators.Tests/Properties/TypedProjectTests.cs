using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using ModelCompiler.Generators.Tests.Testing;

namespace ModelCompiler.Generators.Tests.Properties;

/// <summary>
/// Whatever is typed, a description compiles or an MC error stands at the user's own line: the generator never fails, and nothing is ever wrong
/// in a generated file. MODELCOMPILER_CASES=full runs 2,000 descriptions.
/// </summary>
public class TypedProjectTests(ITestOutputHelper output)
{
    private const int Batches = 4;

    /// <summary>What the C# compiler says of a half that is missing: never without an MC diagnostic beside it.</summary>
    private static readonly string[] s_missingHalf = ["CS9248", "CS8785", "AD0001"];

    private static int DescriptionsOfABatch => Environment.GetEnvironmentVariable("MODELCOMPILER_CASES") == "full" ? 500 : 20;

    public static TheoryData<int> Numbers => [.. Enumerable.Range(0, Batches)];

    [Theory, MemberData(nameof(Numbers))]
    public void A_description_compiles_or_has_an_error_of_its_own(int batch)
    {
        var failures = new List<string>();
        int descriptions = 0, compiled = 0, refused = 0;
        for (int seed = batch * 100_000; descriptions < DescriptionsOfABatch; seed++)
        {
            var project = new TypedProject(seed);
            descriptions += project.Descriptions;
            string[] sources = project.Sources;
            if (Failure(sources, ref compiled, ref refused) is { } failure)
            {
                failures.Add($"seed {seed}: {failure}\n{string.Join("\n----\n", sources.Where(source => !source.Contains("CompiledModule", StringComparison.Ordinal)))}");
            }
        }

        output.WriteLine($"{descriptions} descriptions: {compiled} classes generated, {refused} MC errors, {failures.Count} projects wrong");
        Assert.True(failures.Count == 0, string.Join("\n\n", failures.Take(5)));
        Assert.True(compiled > descriptions / 10 && refused > descriptions / 10, "one of the two hardly ever happens");
    }

    private static string? Failure(string[] sources, ref int compiled, ref int refused)
    {
        CSharpCompilation compilation = Compilations.Create(sources);
        GeneratorDriver driver = CSharpGeneratorDriver.Create([new ModelGenerator().AsSourceGenerator()], parseOptions: Compilations.ParseOptions)
            .RunGeneratorsAndUpdateCompilation(compilation, out Compilation output, out ImmutableArray<Diagnostic> reported);
        if (driver.GetRunResult().Results.Single().Exception is { } exception)
        {
            return exception.ToString();
        }

        Diagnostic[] errors = [.. output.GetDiagnostics().Where(diagnostic => diagnostic.Severity == DiagnosticSeverity.Error)];
        compiled += output.SyntaxTrees.Count(tree => tree.FilePath.EndsWith(".Parameters.g.cs", StringComparison.Ordinal));
        refused += reported.Length;
        return reported.FirstOrDefault(diagnostic => diagnostic.Id is "MC0099" or "CS8785" || !diagnostic.Location.GetLineSpan().Path.StartsWith("Source", StringComparison.Ordinal))?.ToString()
            ?? errors.FirstOrDefault(diagnostic => diagnostic.Location.SourceTree?.FilePath.StartsWith("Source", StringComparison.Ordinal) != true)?.ToString()
            // Where a class hides the namespace ModelCompiler, no attribute is the product's, and C# says so.
            ?? (reported.IsEmpty && compilation.Assembly.GlobalNamespace.GetTypeMembers("ModelCompiler").IsEmpty ? errors.FirstOrDefault(diagnostic => s_missingHalf.Contains(diagnostic.Id)) : null)?.ToString();
    }
}
