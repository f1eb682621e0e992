using ModelCompiler.Backends;
using ModelCompiler.Planning;

namespace ModelCompiler.Models;

/// <summary>What every compiled class offers of itself: to plan, and to be bound to memory.</summary>
/// <typeparam name="TSelf">The class.</typeparam>
/// <param name="plan">The plan.</param>
/// <param name="backend">A backend whose arena is not allocated yet; the model disposes it.</param>
public abstract class TransformerModel<TSelf>(Plan plan, IBackend backend) : TransformerModel(plan, backend)
    where TSelf : TransformerModel<TSelf>, IModel<TSelf>
{
    /// <summary>The best plan within a budget of bytes, by <see cref="MemoryPlanner.Cost"/>.</summary>
    /// <param name="budget">Bytes that a step may take.</param>
    /// <param name="objective">What is best.</param>
    /// <param name="options">What the search may choose; null: its defaults.</param>
    /// <param name="profile">The backend; null: the CPU, with all its cores.</param>
    /// <exception cref="ArgumentException">The budget or an option is out of range for the model.</exception>
    public static FitResult Fit(long budget, FitObjective objective = FitObjective.Fastest, FitOptions? options = null, BackendProfile? profile = null) =>
        TrainingPlan.Fit(TSelf.Tables, budget, objective, profile ?? BackendProfile.Cpu(Environment.ProcessorCount), options);

    /// <summary>Plans training, allocates exactly the planned memory and binds the model to it.</summary>
    /// <param name="plan">The choices of the run.</param>
    /// <param name="backend">The backend; null: the CPU, with all its cores. The model disposes it.</param>
    /// <exception cref="ArgumentException">A number of the plan is out of range for the model.</exception>
    /// <exception cref="MemoryShortageException">Less memory is free than the plan takes.</exception>
    public static TSelf ForTraining(TrainingPlan plan, IBackend? backend = null) => Model.ForTraining<TSelf>(plan, backend);

    /// <summary>Plans generation and binds the model to it.</summary>
    /// <param name="capacity">Positions of the cache; null: the model's context.</param>
    /// <param name="batch">Sequences generated side by side.</param>
    /// <param name="backend">The backend; null: the CPU, with all its cores. The model disposes it.</param>
    /// <exception cref="ArgumentException">A number is out of range for the model.</exception>
    /// <exception cref="MemoryShortageException">Less memory is free than the plan takes.</exception>
    public static TSelf ForGeneration(int? capacity = null, int batch = 1, IBackend? backend = null) =>
        Model.ForGeneration<TSelf>(capacity ?? TSelf.Tables.Context, batch, backend);
}
