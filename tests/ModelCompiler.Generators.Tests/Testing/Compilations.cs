using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace ModelCompiler.Generators.Tests.Testing;

/// <summary>Compilations of source text against this runtime and the product.</summary>
internal static class Compilations
{
    public static readonly CSharpParseOptions ParseOptions = new(LanguageVersion.Preview, DocumentationMode.Diagnose);

    private static readonly MetadataReference[] References =
    [
        .. ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!)
            .Split(Path.PathSeparator)
            .Where(path => Path.GetFileName(path) is var file && (file.StartsWith("System.", StringComparison.Ordinal) || file is "netstandard.dll" or "mscorlib.dll"))
            .Select(path => MetadataReference.CreateFromFile(path)),
        MetadataReference.CreateFromFile(typeof(ModelCompiler.TransformerAttribute).Assembly.Location),
        MetadataReference.CreateFromFile(typeof(ModelCompiler.Models.TransformerModel).Assembly.Location),
    ];

    /// <summary>A library named Sample of these sources: Source0.cs, Source1.cs...</summary>
    public static CSharpCompilation Create(params string[] sources) => CSharpCompilation.Create(
        "Sample",
        sources.Select((text, i) => Parse(text, $"Source{i}.cs")),
        References,
        new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary, nullableContextOptions: NullableContextOptions.Enable, allowUnsafe: true));

    public static SyntaxTree Parse(string text, string path) => CSharpSyntaxTree.ParseText("using ModelCompiler;\n" + text, ParseOptions, path);
}
