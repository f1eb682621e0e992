using System.Reflection;
using System.Runtime.CompilerServices;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using ModelCompiler.Compiler;
using ModelCompiler.Compiler.Description;
using ModelCompiler.Models;

namespace ModelCompiler.Compiler.Tests.Compiled;

/// <summary>
/// Descriptions compiled into one assembly, each twice: as it ships, and as a class whose name ends in "Apart" in which no two values
/// share a buffer.
/// </summary>
public sealed class CompiledBatch
{
    private readonly Dictionary<string, ModelEntry> _entries;

    private CompiledBatch(ModelSpec[] specs, Dictionary<string, ModelEntry> entries) => (Specs, _entries) = (specs, entries);

    /// <summary>The descriptions.</summary>
    public IReadOnlyList<ModelSpec> Specs { get; }

    /// <summary>The compiled class of a description.</summary>
    public ModelEntry Entry(ModelSpec spec) => _entries[spec.Type.Name];

    /// <summary>The same without any sharing of buffers.</summary>
    public ModelEntry Apart(ModelSpec spec) => _entries[spec.Type.Name + "Apart"];

    /// <summary>Compiles descriptions; any diagnostic of the compiler, warnings included, fails.</summary>
    public static CompiledBatch Compile(ModelSpec[] specs, string assemblyName)
    {
        var options = new CSharpParseOptions(LanguageVersion.Preview);
        var trees = new List<SyntaxTree>();
        foreach (ModelSpec spec in specs)
        {
            ModelSpec apart = spec with { Type = spec.Type with { Name = spec.Type.Name + "Apart" } };
            foreach ((ModelSpec s, bool inPlace) in new[] { (spec, true), (apart, false) })
            {
                trees.Add(CSharpSyntaxTree.ParseText(UserPart(s), options));
                trees.AddRange(ModelCompilation.Compile(s, inPlace: inPlace).Select(f => CSharpSyntaxTree.ParseText(f.Text, options, f.Name)));
            }
        }

        CSharpCompilation compilation = CSharpCompilation.Create(
            assemblyName,
            trees,
            References(),
            new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary, optimizationLevel: OptimizationLevel.Release, nullableContextOptions: NullableContextOptions.Enable));
        using var image = new MemoryStream();
        var result = compilation.Emit(image);
        Diagnostic[] serious = result.Diagnostics.Where(d => d.Severity >= DiagnosticSeverity.Warning).ToArray();
        Assert.True(result.Success && serious.Length == 0, string.Join("\n", serious.Take(5).Select(d => d.ToString())));
        Assembly assembly = Assembly.Load(image.ToArray());
        RuntimeHelpers.RunModuleConstructor(assembly.ManifestModule.ModuleHandle);
        var entries = new Dictionary<string, ModelEntry>();
        foreach (string name in specs.SelectMany(s => new[] { s.Type.Name, s.Type.Name + "Apart" }))
        {
            Assert.True(ModelRegistry.TryFind(name, out ModelEntry? entry));
            entries.Add(name, entry);
        }

        return new CompiledBatch(specs, entries);
    }

    private static string UserPart(ModelSpec spec)
    {
        if (spec.Recipe is not null)
        {
            return $"namespace {spec.Type.Namespace}; public partial class {spec.Type.Name};";
        }

        string properties = string.Concat(spec.Block.Sublayers.Select(s => $"public partial {s.TypeName} {s.PropertyName} {{ get; }}\n"));
        return $"namespace {spec.Type.Namespace}; public partial class {spec.Type.Name} {{ public partial class {spec.Block.ClassName} {{ {properties} }} }}";
    }

    private static IEnumerable<MetadataReference> References()
    {
        string platform = Path.GetDirectoryName(typeof(object).Assembly.Location)!;
        string[] files = ["System.Private.CoreLib.dll", "System.Runtime.dll", "System.Collections.dll", "System.Linq.dll", "netstandard.dll"];
        return files.Select(f => Path.Combine(platform, f)).Append(typeof(TransformerModel).Assembly.Location).Append(typeof(TransformerAttribute).Assembly.Location)
            .Select(f => MetadataReference.CreateFromFile(f));
    }
}
