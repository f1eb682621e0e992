using ModelCompiler.Backends;
using ModelCompiler.Operations;
using ModelCompiler.Planning;
using ModelCompiler.Tensors;
using ModelCompiler.Testing.Conformance;
using ModelCompiler.Testing.Null;

namespace ModelCompiler.Tests.Conformance;

public sealed class NullBackendTests
{
    [Fact]
    public void CountsALinear()
    {
        using var backend = new NullBackend();
        backend.Allocate(4096);
        var x = new Tensor(0, 4, 8, 8, DType.Float32);
        var w = new Tensor(128, 16, 8, 8, DType.BFloat16);
        var y = new Tensor(384, 4, 16, 20, DType.Float32);
        backend.Linear(x, w, y);
        backend.Linear(x, w, Tensor.None);
        Assert.Equal(new OperationCount(1, 128 + 256 + 256), backend.Operations["Linear"]);
        Assert.Equal(384 + (3 * 20 + 16) * 4, backend.HighestByte);
        Assert.Equal(0, backend.Read(y));
    }

    /// <summary>An accumulated matrix is read and written, and of a gathered one a row is touched for each row of the activation.</summary>
    [Fact]
    public void CountsAnAccumulatedAndGatheredMatrixByItsRows()
    {
        using var backend = new NullBackend();
        backend.Allocate(4096);
        var dy = new Tensor(0, 3, 8, 8, DType.Float32);
        var ids = new Tensor(128, 3, 1, 1, DType.Int32);
        var gradient = new Tensor(256, 20, 8, 8, DType.Float32);
        backend.EmbeddingGradient(dy, ids, gradient);
        Assert.Equal(new OperationCount(1, 96 + 12 + 2 * 96), backend.Operations["EmbeddingGradient"]);
        Assert.Equal(256 + 20 * 32, backend.HighestByte);
    }

    /// <summary>2 sequences of 3 rows at position 4: 14 rows of both caches are read, and 6 of k and of v are copied to them.</summary>
    [Fact]
    public void CountsTheCachesUpToTheLastPosition()
    {
        using var backend = new NullBackend();
        backend.Allocate(4096);
        backend.BeginStep(new Step(Batch: 2, Sequence: 3, Position: 4));
        var q = new Tensor(0, 6, 8, 8, DType.Float32);
        var k = new Tensor(192, 6, 4, 4, DType.Float32);
        var cache = new Tensor(512, 20, 4, 4, DType.Float32);
        backend.CachedAttention(q, k, k, cache, cache, q, new AttentionShape(Heads: 2, KeyValueHeads: 1, HeadWidth: 4));
        Assert.Equal(2 * 192 + 4 * 96 + 2 * 14 * 16, backend.Operations["CachedAttention"].Bytes);
    }

    [Fact]
    public void RefusesAHandleOutsideTheArena()
    {
        using var backend = new NullBackend();
        backend.Allocate(256);
        var inside = new Tensor(0, 8, 8, 8, DType.Float32);
        backend.Gelu(inside, inside);
        var error = Assert.Throws<InvalidOperationException>(() => backend.Gelu(inside, inside with { Offset = 4 }));
        Assert.Contains("Gelu", error.Message);
        Assert.Contains("ends at 260", error.Message);
    }

    /// <summary>Every call of the suite passes and counts one launch of its own operation, and none where its only result is none.</summary>
    [Fact]
    public void RunsEveryOperation()
    {
        using var check = new ConformanceCheck();
        using var backend = new NullBackend();
        using var bench = new Bench(backend);
        foreach (OperationCase operation in OperationCases.All.SelectMany(group => group))
        {
            foreach (Variation variation in Variation.Of(operation))
            {
                Handles handles = bench.Place(operation, check.Values(operation, variation), variation);
                backend.Reset();
                operation.Call(backend, handles);
                int results = operation.Operands.Count(o => o.IsResult && o.Name != variation.None);
                long launches = backend.Operations.Values.Sum(count => count.Launches);
                Assert.True(launches == (results == 0 ? 0 : 1), $"{operation} {variation}: {launches} launches");
                Assert.Equal(results == 0 ? 0 : operation.Operands.Max(o => handles[o.Name].End), backend.HighestByte);
            }
        }
    }
}
