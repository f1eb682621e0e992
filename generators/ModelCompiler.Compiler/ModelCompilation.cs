using ModelCompiler.Compiler.Description;
using ModelCompiler.Compiler.Passes;
using ModelCompiler.Compiler.Writing;
using ModelCompiler.Planning;

namespace ModelCompiler.Compiler;

/// <summary>The compiler's only public entry: a description in, C# files out.</summary>
public static class ModelCompilation
{
    /// <summary>Compiles a description that the validation found no problem in.</summary>
    /// <param name="spec">The description.</param>
    /// <param name="cancellation">Stops between passes.</param>
    /// <param name="torch">Whether the model is also made a module of TorchSharp.</param>
    /// <param name="inPlace">Whether values may share buffers; off only in tests that prove the sharing right.</param>
    public static EquatableArray<SourceFile> Compile(ModelSpec spec, CancellationToken cancellation = default, bool torch = false, bool inPlace = true)
    {
        cancellation.ThrowIfCancellationRequested();
        var types = new ModelTypes(Pipeline.Run(spec, inPlace));
        cancellation.ThrowIfCancellationRequested();
        return new EquatableArray<SourceFile>(
        [
            ParametersFile.Write(types),
            ForwardFile.Write(types),
            BackwardFile.Write(types),
            BuffersFile.Write(types),
            TablesFile.Write(types),
            MemoryFile.Write(types),
            .. torch ? [TorchModuleFile.Write(types)] : Array.Empty<SourceFile>(),
        ]);
    }

    /// <summary>The planner's tables of a description.</summary>
    public static ModelTables Tables(ModelSpec spec) => new ModelTypes(Pipeline.Run(spec)).Tables;

    /// <summary>What a training step of the budget's plan takes on its device; null where that is more than 64 bits count.</summary>
    public static MemoryCost? Peak(ModelTables tables, BudgetSpec budget)
    {
        try
        {
            return MemoryPlanner.Cost(tables, budget.Plan, budget.Device.Profile(budget.Threads));
        }
        catch (OverflowException)
        {
            return null;
        }
    }
}
