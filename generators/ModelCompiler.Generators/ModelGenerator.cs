using System.Globalization;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using ModelCompiler.Compiler;
using ModelCompiler.Compiler.Description;
using ModelCompiler.Compiler.Validation;
using ModelCompiler.Compiler.Writing;
using ModelCompiler.Generators.Diagnostics;
using ModelCompiler.Generators.Stubs;

namespace ModelCompiler.Generators;

/// <summary>
/// Attributes to <see cref="ModelSpec"/> to C#. Of a description with errors it says what is wrong and generates no model, only what its
/// declarations need so that nothing else is reported of them.
/// </summary>
[Generator(LanguageNames.CSharp)]
public sealed class ModelGenerator : IIncrementalGenerator
{
    private const string TorchModule = "ModelCompiler.Torch.CompiledModule`1";

    private readonly Func<ModelSpec, CancellationToken, bool, EquatableArray<SourceFile>> _compile;

    /// <summary>The generator.</summary>
    public ModelGenerator()
        : this(static (spec, cancellation, torch) => ModelCompilation.Compile(spec, cancellation, torch))
    {
    }

    /// <summary>The generator around another compiler.</summary>
    internal ModelGenerator(Func<ModelSpec, CancellationToken, bool, EquatableArray<SourceFile>> compile) => _compile = compile;

    /// <inheritdoc />
    public void Initialize(IncrementalGeneratorInitializationContext context)
    {
        // Reduced to one bit before anything depends on it, so that an edit ends here.
        IncrementalValueProvider<bool> torch = context.CompilationProvider
            .Select(static (compilation, _) => compilation.GetTypeByMetadataName(TorchModule) is not null)
            .WithTrackingName(TrackingNames.TorchSharp);
        Register(context, "ModelCompiler.TransformerAttribute", torch);
        Register(context, "ModelCompiler.FineTuneAttribute`1", torch);
        context.RegisterSourceOutput(
            context.SyntaxProvider.ForAttributeWithMetadataName("ModelCompiler.BlockAttribute", static (node, _) => node is TypeDeclarationSyntax, static (match, _) => Description.OfLooseBlock(match)),
            static (output, description) => Report(output, description));
    }

    private void Register(IncrementalGeneratorInitializationContext context, string attribute, IncrementalValueProvider<bool> torch)
    {
        IncrementalValuesProvider<Description> descriptions = context.SyntaxProvider
            .ForAttributeWithMetadataName(attribute, static (node, _) => node is TypeDeclarationSyntax, Description.Of)
            .WithTrackingName(TrackingNames.Description);

        // No budget reaches the text: another one compiles nothing.
        IncrementalValuesProvider<GeneratedModel> models = descriptions
            .Where(static description => description.Spec is not null)
            .Select(static (description, _) => description with { Budgeted = null })
            .Combine(torch)
            .Select((input, cancellation) => Compile(input.Left, input.Right, cancellation))
            .WithTrackingName(TrackingNames.Files);

        context.RegisterSourceOutput(models, static (output, model) =>
        {
            foreach (SourceFile file in model.Files)
            {
                output.AddSource(model.Hint + file.Name.Substring(model.Type.Name.Length), file.Text);
            }

            if (model.Defect.Length > 0)
            {
                output.AddSource(model.Hint + ".Tables.g.cs", StubFile.WriteTables(model.Type));
            }
        });

        context.RegisterSourceOutput(descriptions.Where(static description => description.Spec is null), static (output, description) => Report(output, description));

        // Where a class stands is asked of the compilation only once there is something to say of it.
        context.RegisterSourceOutput(
            models.Where(static model => model.Defect.Length > 0)
                .Combine(context.CompilationProvider)
                .Select(static (failed, _) => Description.Failed(failed.Left.Type, failed.Left.Defect, failed.Right)),
            static (output, description) => Report(output, description));
        context.RegisterSourceOutput(
            descriptions.Where(static description => description.Budgeted is not null)
                .Select(static (description, _) => Exceeded(description.Budgeted!))
                .Where(static exceeded => exceeded.Problems.Count > 0)
                .Combine(context.CompilationProvider)
                .Select(static (exceeded, _) => Description.Exceeding(exceeded.Left.Type, exceeded.Left.Problems, exceeded.Right)),
            static (output, description) => Report(output, description));
    }

    private static void Report(SourceProductionContext output, Description description)
    {
        if (description.Stub is { } stub)
        {
            output.AddSource(description.Hint + ".Stub.g.cs", StubFile.Write(stub));
        }

        foreach (PlainDiagnostic diagnostic in description.Errors)
        {
            output.ReportDiagnostic(diagnostic.ToDiagnostic());
        }
    }

    private GeneratedModel Compile(Description description, bool torch, CancellationToken cancellation)
    {
        // Numbers in generated text must not follow the culture of whoever builds: a Finnish minus sign is not C#.
#pragma warning disable RS1035
        CultureInfo before = CultureInfo.CurrentCulture;
        CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
        ModelSpec spec = description.Spec!;
        try
        {
            return new GeneratedModel(description.Hint, spec.Type, _compile(spec, cancellation, torch), "");
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            return new GeneratedModel(description.Hint, spec.Type, default, Description.TextOf(e));
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
#pragma warning restore RS1035
    }

    /// <summary>The budgets that a recipe's plans exceed.</summary>
    private static (TypeSpec Type, EquatableArray<Problem> Problems) Exceeded(ModelSpec spec)
    {
        try
        {
            return (spec.Type, ModelValidation.CheckBudgets(spec));
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            return (spec.Type, new([Description.Defect(spec.Type.Name, Description.TextOf(e))]));
        }
    }

    /// <summary>The files of one class, or how the compiler failed on it.</summary>
    private sealed record GeneratedModel(string Hint, TypeSpec Type, EquatableArray<SourceFile> Files, string Defect);
}
