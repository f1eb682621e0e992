using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using ModelCompiler.Compiler.Description;

namespace ModelCompiler.Generators.Tests.Testing;

/// <summary>
/// A run of the generator. Every run is repeated on a clone of the compilation and must be answered from the cache, and what its
/// pipeline holds must not keep a compilation alive: a generator that fails either slows every keystroke in an editor.
/// </summary>
internal sealed class GeneratorRun
{
    private static readonly string[] Steps = [TrackingNames.Description, TrackingNames.TorchSharp, TrackingNames.Files];

    private readonly GeneratorDriver _driver;

    private GeneratorRun(GeneratorDriver driver, Compilation output)
    {
        _driver = driver;
        Output = output;
        Result = Assert.Single(driver.GetRunResult().Results);
        Assert.Null(Result.Exception);
    }

    public GeneratorRunResult Result { get; }

    /// <summary>The compilation with the generated files in it.</summary>
    public Compilation Output { get; }

    public ImmutableArray<GeneratedSourceResult> Files => Result.GeneratedSources;

    /// <summary>The descriptions that the pipeline read.</summary>
    public IEnumerable<ModelSpec> Specs => Values(Result, TrackingNames.Description).Select(output => ((Description)output.Value).Spec).OfType<ModelSpec>();

    public ModelSpec Spec => Assert.Single(Specs);

    public static GeneratorRun Of(params string[] sources) => Of(Compilations.Create(sources));

    public static GeneratorRun Of(CSharpCompilation compilation)
    {
        GeneratorDriver driver = CSharpGeneratorDriver.Create(
            [new ModelGenerator().AsSourceGenerator()],
            parseOptions: Compilations.ParseOptions,
            driverOptions: new GeneratorDriverOptions(IncrementalGeneratorOutputKind.None, trackIncrementalGeneratorSteps: true));
        var first = new GeneratorRun(driver.RunGeneratorsAndUpdateCompilation(compilation, out Compilation output, out _), output);
        foreach (string step in Steps)
        {
            foreach ((object value, _) in Values(first.Result, step))
            {
                ObjectGraph.AssertHoldsNoCompilation(value);
            }
        }

        GeneratorRun second = first.After(compilation.Clone());
        Assert.All(Steps.SelectMany(second.Reasons), AssertCached);
        Assert.All(second.Result.TrackedOutputSteps.SelectMany(step => step.Value).SelectMany(run => run.Outputs).Select(made => made.Reason), AssertCached);
        return first;
    }

    /// <summary>What the same driver does after an edit.</summary>
    public GeneratorRun After(CSharpCompilation compilation) =>
        new(_driver.RunGeneratorsAndUpdateCompilation(compilation, out Compilation output, out _), output);

    /// <summary>Why each output of a step is as it is.</summary>
    public IEnumerable<IncrementalStepRunReason> Reasons(string step) => Values(Result, step).Select(output => output.Reason);

    public static void AssertCached(IncrementalStepRunReason reason) =>
        Assert.True(reason is IncrementalStepRunReason.Cached or IncrementalStepRunReason.Unchanged, $"was {reason}");

    private static IEnumerable<(object Value, IncrementalStepRunReason Reason)> Values(GeneratorRunResult result, string step) =>
        result.TrackedSteps.TryGetValue(step, out ImmutableArray<IncrementalGeneratorRunStep> runs) ? runs.SelectMany(run => run.Outputs) : [];
}
