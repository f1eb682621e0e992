using ModelCompiler.Backends;
using ModelCompiler.Backends.Cpu;
using ModelCompiler.Planning;
using ModelCompiler.Tensors;

namespace ModelCompiler.Models;

/// <summary>Plans and creates compiled models.</summary>
public static class Model
{
    /// <summary>Plans training, allocates exactly the planned memory and binds the model to it.</summary>
    /// <typeparam name="T">The compiled class.</typeparam>
    /// <param name="plan">The choices of the run.</param>
    /// <param name="backend">The backend; null: the CPU, with all its cores. The model disposes it.</param>
    /// <exception cref="ArgumentException">A number of the plan is out of range for the model.</exception>
    /// <exception cref="MemoryShortageException">Less memory is free than the plan takes.</exception>
    public static T ForTraining<T>(TrainingPlan plan, IBackend? backend = null)
        where T : TransformerModel, IModel<T>
    {
        backend ??= DefaultBackend();
        return Create<T>(MemoryPlanner.Train(T.Tables, plan, backend.Profile), backend);
    }

    /// <summary>Plans generation and binds the model to it.</summary>
    /// <typeparam name="T">The compiled class.</typeparam>
    /// <param name="capacity">Positions of the cache.</param>
    /// <param name="batch">Sequences generated side by side.</param>
    /// <param name="backend">The backend; null: the CPU, with all its cores. The model disposes it.</param>
    /// <param name="ranks">The rank of every adapter instead of the declared ones.</param>
    /// <exception cref="ArgumentException">A number is out of range for the model.</exception>
    /// <exception cref="MemoryShortageException">Less memory is free than the plan takes.</exception>
    public static T ForGeneration<T>(int capacity, int batch = 1, IBackend? backend = null, RankPattern? ranks = null)
        where T : TransformerModel, IModel<T>
    {
        backend ??= DefaultBackend();
        return Create<T>(MemoryPlanner.Decode(T.Tables, batch, capacity, Math.Min(capacity, 256), backend.Profile, ranks), backend);
    }

    /// <summary>Compares the plan with what is free before anything is taken: zeroed memory that is not there would end the process.</summary>
    private static T Create<T>(Plan plan, IBackend backend)
        where T : TransformerModel, IModel<T>
    {
        Require(plan.Tables.Name, backend.Profile.IsHostMemory ? plan.Cost.Allocated : plan.Cost.Arena, backend.FindFreeMemory());
        if (!backend.Profile.IsHostMemory && plan.Cost.Paged > 0)
        {
            Require(plan.Tables.Name, plan.Cost.Paged, HostMemory.Free());
        }

        return T.Create(plan, backend);
    }

    private static void Require(string model, long needed, FreeMemory? free)
    {
        if (free is { } room && needed > room.Bytes)
        {
            throw new MemoryShortageException(model, needed, room);
        }
    }

    private static CpuBackend DefaultBackend() => new(Environment.ProcessorCount);
}
