using System.Globalization;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using ModelCompiler.Compiler;
using ModelCompiler.Compiler.Description;
using ModelCompiler.Generators.Diagnostics;
using ModelCompiler.Generators.Parsing;
using ModelCompiler.Generators.Stubs;

namespace ModelCompiler.Generators;

/// <summary>
/// Attributes to <see cref="ModelSpec"/> to C#. From a description with errors it generates no model, only what its declarations need so that
/// the C# compiler gets as far as the analyzer, which says what is wrong.
/// </summary>
[Generator(LanguageNames.CSharp)]
public sealed class ModelGenerator : IIncrementalGenerator
{
    private const string TorchModule = "ModelCompiler.Torch.CompiledModule`1";

    /// <inheritdoc />
    public void Initialize(IncrementalGeneratorInitializationContext context)
    {
        // Reduced to one bit before anything depends on it, so that an edit ends here.
        IncrementalValueProvider<bool> torch = context.CompilationProvider
            .Select(static (compilation, _) => compilation.GetTypeByMetadataName(TorchModule) is not null)
            .WithTrackingName(TrackingNames.TorchSharp);
        Register(context, "ModelCompiler.TransformerAttribute", torch);
        Register(context, "ModelCompiler.FineTuneAttribute`1", torch);
    }

    private static void Register(IncrementalGeneratorInitializationContext context, string attribute, IncrementalValueProvider<bool> torch)
    {
        IncrementalValuesProvider<Description> descriptions = context.SyntaxProvider
            .ForAttributeWithMetadataName(attribute, static (node, _) => node is ClassDeclarationSyntax, static (match, _) => Describe(match))
            .WithTrackingName(TrackingNames.Description);

        IncrementalValuesProvider<GeneratedModel> models = descriptions
            .Where(static description => description.Spec is not null)
            .Combine(torch)
            .Select(static (input, cancellation) => Compile(input.Left.Spec!, input.Right, cancellation))
            .WithTrackingName(TrackingNames.Files);

        context.RegisterSourceOutput(models, static (output, model) =>
        {
            foreach (SourceFile file in model.Files)
            {
                output.AddSource(HintName(model.Namespace, file), file.Text);
            }
        });

        context.RegisterSourceOutput(descriptions.Where(static description => description.Spec is null), static (output, description) =>
        {
            if (description.Stub is { } stub)
            {
                SourceFile file = StubFile.Write(stub);
                output.AddSource(HintName(stub.Namespace, file), file.Text);
            }

            foreach (PlainDiagnostic diagnostic in description.Unheard)
            {
                output.ReportDiagnostic(diagnostic.ToDiagnostic());
            }
        });
    }

    private static Description Describe(GeneratorAttributeSyntaxContext match)
    {
        var type = (INamedTypeSymbol)match.TargetSymbol;
        ParsedDescription parsed = DescriptionParser.Parse(type);
        if (parsed.Spec is { } spec && Validation.Check(spec).Count == 0)
        {
            // No budget reaches the text: another one must compile nothing.
            return new Description(spec.Recipe is { } recipe ? spec with { Recipe = recipe with { Budgets = default } } : spec, null, default);
        }

        // A recipe declares nothing that would be missing.
        return ModelAttributes.NameOf(match.Attributes[0]) == "Transformer"
            ? new Description(null, StubParser.Parse(type), StubParser.LeavesErrors(type) ? new EquatableArray<PlainDiagnostic>(parsed.Problems.Select(problem => PlainDiagnostic.Of(type, problem))) : default)
            : new Description(null, null, default);
    }

    private static GeneratedModel Compile(ModelSpec spec, bool torch, CancellationToken cancellation)
    {
        // Numbers in generated text must not follow the culture of whoever builds: a Finnish minus sign is not C#.
#pragma warning disable RS1035
        CultureInfo before = CultureInfo.CurrentCulture;
        CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
        try
        {
            return new GeneratedModel(spec.Type.Namespace, ModelCompilation.Compile(spec, cancellation, torch));
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
#pragma warning restore RS1035
    }

    /// <summary>The namespace keeps two models of one name apart.</summary>
    private static string HintName(string @namespace, SourceFile file) => @namespace.Length == 0 ? file.Name : @namespace + "." + file.Name;

    /// <summary>A sound description, or what stands in for one with errors.</summary>
    /// <param name="Spec">The description; null when it has errors.</param>
    /// <param name="Stub">What its declarations need; null where nothing can be added to its class.</param>
    /// <param name="Unheard">What the analyzer would say, where the C# compiler stops before it asks one.</param>
    internal sealed record Description(ModelSpec? Spec, StubSpec? Stub, EquatableArray<PlainDiagnostic> Unheard);

    /// <summary>The files of one class.</summary>
    private sealed record GeneratedModel(string Namespace, EquatableArray<SourceFile> Files);
}
