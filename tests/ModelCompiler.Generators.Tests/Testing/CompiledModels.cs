using System.Reflection;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Emit;
using ModelCompiler.Planning;

namespace ModelCompiler.Generators.Tests.Testing;

/// <summary>Generated models as a program has them: compiled and loaded.</summary>
internal sealed class CompiledModels
{
    private readonly Assembly _assembly;

    private CompiledModels(Assembly assembly) => _assembly = assembly;

    public static CompiledModels Of(params string[] sources)
    {
        using var image = new MemoryStream();
        EmitResult result = GeneratorRun.Of(sources).Output.Emit(image);
        Assert.True(result.Success, string.Join("\n", result.Diagnostics.Where(diagnostic => diagnostic.Severity == DiagnosticSeverity.Error)));
        return new CompiledModels(Assembly.Load(image.ToArray()));
    }

    /// <summary>What <c>X.MemoryCost</c> says at run time.</summary>
    public MemoryCost MemoryCost(string model, TrainingPlan plan, BackendProfile profile)
    {
        MethodInfo cost = _assembly.GetType(model, throwOnError: true)!.GetMethod(nameof(MemoryCost), [typeof(TrainingPlan), typeof(BackendProfile)])!;
        return (MemoryCost)cost.Invoke(null, [plan, profile])!;
    }
}
