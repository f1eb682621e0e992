using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using ModelCompiler.Internal;

namespace ModelCompiler.Generators.Tests.Internal;

/// <summary>What our own generator writes into the classes that stand for a backend, from a small interface in place of the real one.</summary>
public sealed class BackendGeneratorTests
{
    private const string Contract = """
        using System;
        namespace ModelCompiler.Backends;

        public sealed class ActivationAttribute : Attribute;
        public sealed class WrittenAttribute : Attribute;
        public sealed class AccumulatedAttribute : Attribute;
        public sealed class GatheredAttribute : Attribute;
        public enum GeneratedCalls { Widen, Count }
        public sealed class GenerateOperationsAttribute(GeneratedCalls calls) : Attribute { public GeneratedCalls Calls { get; } = calls; }
        public readonly record struct Tensor(int Rows) { public bool IsNone => Rows == 0; }
        public readonly record struct Update(double Rate);

        public interface IBackend : IDisposable
        {
            long AllocatedBytes { get; }
            long? FindFreeMemory() => null;
            void Linear([Activation] Tensor x, Tensor w, [Activation, Written] Tensor y, Tensor bias = default, float scale = 1);
            void Embedding(Tensor ids, [Gathered] Tensor table, [Activation, Written] Tensor y);
            void Update([Accumulated] Tensor w, Tensor g, in Update step);
        }

        """;

    private const string Widening = """
        [GenerateOperations(GeneratedCalls.Widen)]
        internal sealed partial class WideningBackend(IBackend inner) : IBackend
        {
            private readonly IBackend _inner = inner;
            private Tensor In(Tensor x) => x;
            private Tensor Out(Tensor y) => y;
            private void Narrow() { }
        }

        """;

    private const string Counting = """
        [GenerateOperations(GeneratedCalls.Count)]
        public sealed partial class NullBackend : IBackend
        {
            public long AllocatedBytes => 0;
            public void Dispose() { }
            public long? FindFreeMemory() => 1;
            private void Count(string operation, ReadOnlySpan<Tensor> tensors, long gatheredBytes = 0) { }
            private long Gathered(Tensor table, int rows) => rows;
        }

        """;

    [Fact]
    public void A_widening_backend_hands_every_member_on()
    {
        string text = Generate(Widening);
        Assert.Contains("public long AllocatedBytes => _inner.AllocatedBytes;", text);
        Assert.Contains("public long? FindFreeMemory() => _inner.FindFreeMemory();", text);
        Assert.Contains("public void Dispose() => _inner.Dispose();", text);
        Assert.Contains("Tensor @bias = default, float @scale = 1)", text);
        Assert.Contains("_inner.Linear(In(@x), @w, Out(@y), @bias, @scale);\n        Narrow();", text);
        Assert.Contains("Update @step) => _inner.Update(@w, @g, in @step);", text);
    }

    [Fact]
    public void A_counting_backend_counts_what_writes_something()
    {
        string text = Generate(Counting);
        Assert.Contains("if (!@y.IsNone)\n        {\n            Count(\"Linear\", [@x, @w, @y, @bias]);", text);
        Assert.Contains("Count(\"Embedding\", [@ids, @y], 1 * Gathered(@table, @y.Rows));", text);
        Assert.Contains("Count(\"Update\", [@w, @w, @g]);", text);
        Assert.DoesNotContain("FindFreeMemory", text);
    }

    [Fact]
    public void A_method_that_the_class_declares_stays()
    {
        string text = Generate(Widening.Replace("private Tensor In", "public void Update(Tensor w, Tensor g, in Update step) { }\n    private Tensor In"));
        Assert.DoesNotContain(" Update(", text);
    }

    /// <summary>The generated text of the class, which must compile without a warning.</summary>
    private static string Generate(string type)
    {
        CSharpCompilation compilation = CSharpCompilation.Create(
            "Toy",
            [CSharpSyntaxTree.ParseText(Contract + type)],
            ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator).Where(path => Path.GetFileName(path).StartsWith("System.")).Select(path => MetadataReference.CreateFromFile(path)),
            new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary, nullableContextOptions: NullableContextOptions.Enable));
        GeneratorDriver driver = CSharpGeneratorDriver.Create(new BackendGenerator()).RunGeneratorsAndUpdateCompilation(compilation, out Compilation output, out var problems);
        Assert.Empty(problems);
        Assert.Empty(output.GetDiagnostics().Where(d => d.Severity >= DiagnosticSeverity.Warning));
        return Assert.Single(driver.GetRunResult().GeneratedTrees).ToString();
    }
}
