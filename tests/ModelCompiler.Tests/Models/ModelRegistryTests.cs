using System.Reflection;
using System.Runtime.CompilerServices;
using ModelCompiler.Backends;
using ModelCompiler.Models;
using ModelCompiler.Planning;
using ModelCompiler.Tensors;

namespace ModelCompiler.Tests.Models;

/// <summary>Assemblies register their models on whatever thread loads them.</summary>
public class ModelRegistryTests
{
    private const int Threads = 2;

    [Fact]
    public async Task Models_added_on_several_threads_are_all_found()
    {
        Type[] marks = [.. typeof(object).Assembly.GetExportedTypes().Where(t => t.IsEnum || (t.IsClass && !t.IsAbstract && !t.IsGenericTypeDefinition)).Take(1000)];
        MethodInfo add = typeof(ModelRegistry).GetMethod(nameof(ModelRegistry.Add))!;
        Action<string?>[] additions = [.. marks.Select(m => typeof(Marked<>).MakeGenericType(m)).Select(t =>
        {
            // All that takes long is done before, so that the additions themselves meet.
            RuntimeHelpers.RunClassConstructor(t.TypeHandle);
            return add.MakeGenericMethod(t).CreateDelegate<Action<string?>>();
        })];

        int arrived = 0;
        void AddEvery(int first)
        {
            try
            {
                for (int i = first; i < additions.Length; i += Threads)
                {
                    // Spinning: a thread that has to be woken comes too late to meet the other.
                    Interlocked.Increment(ref arrived);
                    SpinWait.SpinUntil(() => Volatile.Read(ref arrived) >= (i / Threads + 1) * Threads);
                    additions[i](marks[i].FullName);
                }
            }
            finally
            {
                // Whoever still waits for this thread goes on.
                Interlocked.Add(ref arrived, additions.Length);
            }
        }

        await Task.WhenAll(Enumerable.Range(0, Threads).Select(thread => Task.Factory.StartNew(() => AddEvery(thread), TaskCreationOptions.LongRunning)));

        Assert.All(marks, mark => Assert.True(ModelRegistry.TryFind(mark.FullName!, out _), mark.FullName));
        Assert.Equal(marks.Length, marks.Select(mark => mark.FullName).Intersect(ModelRegistry.All.Select(entry => entry.Name)).Count());
        Assert.Equal(marks.Length, ModelRegistry.All.Count(entry => entry.GetType().GenericTypeArguments[0].Name == typeof(Marked<>).Name));
    }

    private sealed class Marked<TMark>(Plan plan, IBackend backend) : TransformerModel(plan, backend), IModel<Marked<TMark>>
    {
        public static new ModelTables Tables { get; } = Stories260K.Tables with { Name = typeof(TMark).FullName! };

        public static Marked<TMark> Create(Plan plan, IBackend backend) => new(plan, backend);

        protected override void Forward(bool decode) => throw new NotSupportedException();

        protected override void LossOfChunk(int firstRow, bool backward) => throw new NotSupportedException();

        protected override void BackwardLayers() => throw new NotSupportedException();

        public override Tensor Logits(int firstRow, int rows) => throw new NotSupportedException();
    }
}
