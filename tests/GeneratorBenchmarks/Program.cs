using System.Diagnostics;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Diagnostics;
using ModelCompiler.Generators;
using ModelCompiler.Generators.Diagnostics;

// Milliseconds the generator takes in a warm compiler host: for a description it has not seen, and for an edit elsewhere. Then those that the
// analyzers take over all of its classes, with a budget held and its peak shown.
const int Runs = 30;
var options = new CSharpParseOptions(LanguageVersion.Preview);
string platform = Path.GetDirectoryName(typeof(object).Assembly.Location)!;
MetadataReference[] references =
[
    .. new[] { "System.Private.CoreLib.dll", "System.Runtime.dll", "System.Collections.dll", "netstandard.dll" }.Select(f => MetadataReference.CreateFromFile(Path.Combine(platform, f))),
    MetadataReference.CreateFromFile(typeof(ModelCompiler.TransformerAttribute).Assembly.Location),
    MetadataReference.CreateFromFile(typeof(ModelCompiler.Models.TransformerModel).Assembly.Location),
];

var fresh = new List<double>();
var edit = new List<double>();
var held = new List<double>();
var shown = new List<double>();
for (int run = 0; run < Runs + 5; run++)
{
    SyntaxTree other = CSharpSyntaxTree.ParseText("class Elsewhere { int Before; }", options);
    CSharpCompilation compilation = CSharpCompilation.Create("Benchmark", [CSharpSyntaxTree.ParseText(Description(512 + 64 * run), options), other], references);
    compilation.GetDiagnostics();
    GeneratorDriver driver = CSharpGeneratorDriver.Create([new ModelGenerator().AsSourceGenerator()], parseOptions: options);

    double first = Time(() => driver = driver.RunGenerators(compilation));
    CSharpCompilation edited = compilation.ReplaceSyntaxTree(other, CSharpSyntaxTree.ParseText("class Elsewhere { int After; }", options));
    edited.GetDiagnostics();
    double second = Time(() => driver = driver.RunGenerators(edited));
    (double description, double peak) = await Analyze(compilation, driver);
    int files = driver.GetRunResult().GeneratedTrees.Length;
    if (files == 0)
    {
        throw new InvalidOperationException("the generator wrote nothing");
    }

    if (run >= 5)
    {
        fresh.Add(first);
        edit.Add(second);
        held.Add(description);
        shown.Add(peak);
    }
}

Console.WriteLine(FormattableString.Invariant($"new 32-layer model and recipe: median {Median(fresh):F1} ms, worst {fresh.Max():F1} ms (limit 50)"));
Console.WriteLine(FormattableString.Invariant($"edit elsewhere: median {Median(edit):F2} ms, worst {edit.Max():F2} ms (limit 5)"));
Console.WriteLine(FormattableString.Invariant($"description analyzed, one budget held: median {Median(held):F1} ms, worst {held.Max():F1} ms"));
Console.WriteLine(FormattableString.Invariant($"peak shown (MC0408): median {Median(shown):F1} ms, worst {shown.Max():F1} ms"));

static async Task<(double Description, double Peak)> Analyze(CSharpCompilation compilation, GeneratorDriver driver)
{
    DiagnosticAnalyzer[] analyzers = [new DescriptionAnalyzer(), new PeakAnalyzer()];
    driver.RunGeneratorsAndUpdateCompilation(
        compilation.WithOptions(compilation.Options.WithSpecificDiagnosticOptions([new("MC0408", ReportDiagnostic.Info)])), out Compilation output, out _);
    var analysis = new CompilationWithAnalyzers(
        output, [.. analyzers], new CompilationWithAnalyzersOptions(new AnalyzerOptions([]), null, concurrentAnalysis: false, logAnalyzerExecutionTime: true));
    if ((await analysis.GetAnalyzerDiagnosticsAsync()).Single().Id != "MC0408")
    {
        throw new InvalidOperationException("the peak was not shown");
    }

    double[] times = new double[2];
    for (int i = 0; i < 2; i++)
    {
        times[i] = (await analysis.GetAnalyzerTelemetryInfoAsync(analyzers[i], CancellationToken.None)).ExecutionTime.TotalMilliseconds;
    }

    return (times[0], times[1]);
}

static double Time(Action action)
{
    long start = Stopwatch.GetTimestamp();
    action();
    return Stopwatch.GetElapsedTime(start).TotalMilliseconds;
}

static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);

static string Description(int width) => $$"""
    using ModelCompiler;

    [Transformer(Vocabulary = 32000, Width = {{width}}, Context = 4096)]
    [TokenEmbedding]
    public partial class Large
    {
        [Block(Repeat = 32)]
        public partial class Layer
        {
            [RmsNorm]
            [Attention(Heads = 32, HeadWidth = 64, KeyValueHeads = 8), Rotary]
            public partial Attention Attention { get; }

            [RmsNorm]
            [SwiGlu(Hidden = 11008)]
            public partial FeedForward FeedForward { get; }
        }
    }

    [FineTune<Large>]
    [Lora(Rank = 16, Alpha = 16, Targets = Projections.All)]
    [MemoryBudget("1 TiB", Batch = 4, Sequence = 2048)]
    public partial class Large_Lora;
    """;
