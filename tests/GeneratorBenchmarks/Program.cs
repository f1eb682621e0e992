extern alias runtime;

using System.Diagnostics;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using ModelCompiler.Generators;

// Milliseconds the generator takes in a warm compiler host: for a description it has not seen, and for an edit elsewhere.
const int Runs = 30;
var options = new CSharpParseOptions(LanguageVersion.Preview);
string platform = Path.GetDirectoryName(typeof(object).Assembly.Location)!;
MetadataReference[] references =
[
    .. new[] { "System.Private.CoreLib.dll", "System.Runtime.dll", "System.Collections.dll" }.Select(f => MetadataReference.CreateFromFile(Path.Combine(platform, f))),
    MetadataReference.CreateFromFile(typeof(runtime::ModelCompiler.TransformerAttribute).Assembly.Location),
];

var fresh = new List<double>();
var edit = new List<double>();
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
    int files = driver.GetRunResult().GeneratedTrees.Length;
    if (files == 0)
    {
        throw new InvalidOperationException("the generator wrote nothing");
    }

    if (run >= 5)
    {
        fresh.Add(first);
        edit.Add(second);
    }
}

Console.WriteLine(FormattableString.Invariant($"new 32-layer model and recipe: median {Median(fresh):F1} ms, worst {fresh.Max():F1} ms (limit 50)"));
Console.WriteLine(FormattableString.Invariant($"edit elsewhere: median {Median(edit):F2} ms, worst {edit.Max():F2} ms (limit 5)"));

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
    public partial class Large_Lora;
    """;
