using ModelCompiler.Operations;
using ModelCompiler.Planning;
using ModelCompiler.Tensors;
using ModelCompiler.Testing.Reference;
using ModelCompiler.Tests.Conformance;
using TorchSharp;

namespace ModelCompiler.Torch.Tests;

/// <summary>What the conformance suite does not ask: quantized weights, paged memory, views, refusals.</summary>
public class TorchBackendTests
{
    private const double Tolerance = 4e-6;

    public static TheoryData<DType, int, bool> Types => new()
    {
        { DType.NF4, 32, false },
        { DType.NF4, 64, true },
        { DType.NF4, 4096, false },
        { DType.Int8, 64, false },
        { DType.Int4, 32, false },
    };

    /// <summary>Blocks straddle rows, the last is short, and with little workspace rows are decoded in turn.</summary>
    [Theory]
    [MemberData(nameof(Types))]
    public void Products_with_quantized_weights_are_References(DType kind, int block, bool nested)
    {
        DType type = DTypeExtensions.Quantized(kind, block, nested);
        foreach ((int inputs, int outputs, int tokens) in new[] { (64, 32, 5), (96, 45, 7), (45, 19, 13), (33, 1, 3), (7, 5, 1), (320, 200, 3), (512, 300, 2) })
        {
            if (kind == DType.Int4 && inputs % block != 0)
            {
                continue;
            }

            using TorchBackend torch = TestedBackends.WithLittleWorkspace();
            using var reference = new ReferenceBackend();
            var random = new Random(inputs);
            double[] x = Values(random, tokens * inputs), dy = Values(random, tokens * outputs), w = Values(random, outputs * inputs);
            double[][] results = [.. new Backends.IBackend[] { torch, reference }.SelectMany(backend =>
            {
                DType compute = backend.Profile.Compute;
                long bytes = 1 << 20;
                backend.Allocate(4 * bytes + backend.Profile.Workspace);
                backend.UseWorkspace(4 * bytes, backend.Profile.Workspace);
                var weight = new Tensor(0, outputs, inputs, inputs, type);
                var input = new Tensor(bytes, tokens, inputs, inputs, compute);
                var output = new Tensor(2 * bytes, tokens, outputs, outputs, compute);
                var gradient = new Tensor(3 * bytes, tokens, inputs, inputs, compute);
                backend.Write(weight, w);
                backend.Write(input, x);
                backend.Linear(input, weight, output, scale: 0.5f);
                var product = new double[output.Count];
                backend.Read(output, product);
                backend.Write(output, dy);
                backend.LinearGradientInput(output, weight, gradient);
                var slope = new double[gradient.Count];
                backend.Read(gradient, slope);
                var decoded = new double[weight.Count];
                backend.Read(weight, decoded);
                return (double[][])[product, slope, decoded];
            })];
            for (int i = 0; i < 3; i++)
            {
                double magnitude = Math.Sqrt(results[i + 3].Average(v => v * v));
                Assert.All(results[i].Zip(results[i + 3]), pair => Assert.Equal(pair.Second, pair.First, Tolerance * (Math.Abs(pair.Second) + magnitude)));
            }
        }
    }

    /// <summary>Longer sequences than a group of queries, and with little workspace a few rows and heads at a time.</summary>
    [Fact]
    public void Attention_over_long_sequences_is_References()
    {
        const int batch = 2, sequence = 150, heads = 6, keyValueHeads = 3, width = 8, rows = batch * sequence;
        var random = new Random(3);
        (int Columns, double[] Values)[] inputs =
            [.. ((int[])[heads * width, keyValueHeads * width, keyValueHeads * width, heads * width]).Select(columns => (columns, Values(random, rows * columns)))];
        double[][] Results(Backends.IBackend backend)
        {
            long bytes = 1 << 20;
            backend.Allocate(10 * bytes + backend.Profile.Workspace);
            backend.UseWorkspace(10 * bytes, backend.Profile.Workspace);
            backend.BeginStep(new Backends.Step(batch, sequence));
            Tensor New(int index, int columns) => new(index * bytes, rows, columns, columns, backend.Profile.Compute);
            Tensor[] given = [.. inputs.Select((input, i) => New(i, input.Columns))];
            foreach ((Tensor tensor, (_, double[] values)) in given.Zip(inputs))
            {
                backend.Write(tensor, values);
            }

            (Tensor q, Tensor k, Tensor v, Tensor dO) = (given[0], given[1], given[2], given[3]);
            (Tensor o, Tensor logSumExp, Tensor dq) = (New(4, q.Columns), New(5, heads), New(6, q.Columns));
            (Tensor dk, Tensor dv) = (New(7, k.Columns), New(8, k.Columns));
            backend.Attention(q, k, v, o, logSumExp, new AttentionShape(heads, keyValueHeads, q.Columns / heads));
            backend.AttentionGradient(dO, q, k, v, o, logSumExp, dq, dk, dv, new AttentionShape(heads, keyValueHeads, q.Columns / heads));
            return [.. ((Tensor[])[o, logSumExp, dq, dk, dv]).Select(tensor =>
            {
                var values = new double[tensor.Count];
                backend.Read(tensor, values);
                return values;
            })];
        }

        using var reference = new ReferenceBackend();
        double[][] expected = Results(reference);
        foreach (Func<Backends.IBackend> tested in TestedBackends.All.Values)
        {
            using Backends.IBackend backend = tested();
            foreach ((double[] wanted, double[] actual) in expected.Zip(Results(backend)))
            {
                double magnitude = Math.Sqrt(wanted.Average(v => v * v));
                Assert.All(wanted.Zip(actual), pair => Assert.Equal(pair.First, pair.Second, Tolerance * (Math.Abs(pair.First) + magnitude)));
            }
        }
    }

    [Fact]
    public void A_view_is_the_arenas_own_memory()
    {
        using var backend = new TorchBackend();
        backend.Allocate(4096);
        var handle = new Tensor(256, 3, 2, 5, DType.Float32);
        using torch.Tensor view = backend.View(handle);

        view.fill_(2.5f);
        var values = new float[6];
        backend.Read(handle, values);

        Assert.All(values, value => Assert.Equal(2.5f, value));
        Assert.Equal(0, backend.Read(new Tensor(256 + 2 * sizeof(float), 1, 1, 1, DType.Float32)));
        backend.Write(handle, [1f, 2, 3, 4, 5, 6]);
        Assert.Equal([1f, 2, 3, 4, 5, 6], view.cpu().contiguous().data<float>().ToArray());
    }

    [Fact]
    public void Pages_go_out_and_come_back()
    {
        using var backend = new TorchBackend();
        backend.Allocate(4096);
        backend.AllocatePaged(1024);
        var page = new Tensor(0, 4, 8, 8, DType.Float32);
        float[] values = [.. Enumerable.Range(0, 32).Select(i => (float)i)];
        backend.Write(page, values);

        backend.PageOut(page, 256);
        backend.Zero(page);
        backend.PageIn(256, page);
        backend.AwaitPage(page);
        var back = new float[32];
        backend.Read(page, back);

        Assert.Equal(values, back);
        Assert.Equal((4096, 1024), (backend.AllocatedBytes, backend.PagedBytes));
        Assert.Throws<ArgumentException>(() => backend.PageIn(1000, page));
        Assert.Throws<ArgumentException>(() => backend.PageOut(page with { Stride = 9 }, 0));
        Assert.Throws<InvalidOperationException>(() => backend.AllocatePaged(8));
    }

    [Fact]
    public void Handles_outside_the_arena_and_second_arenas_are_refused()
    {
        using var backend = new TorchBackend();
        Assert.Throws<ArgumentException>(() => backend.Zero(new Tensor(0, 1, 1, 1, DType.Float32)));
        backend.Allocate(256);
        var inside = new Tensor(0, 8, 8, 8, DType.Float32);
        backend.Zero(inside);
        Assert.Throws<ArgumentException>(() => backend.Zero(inside with { Offset = 4 }));
        Assert.Throws<ArgumentException>(() => backend.UseWorkspace(0, 256));
        Assert.Throws<InvalidOperationException>(() => backend.Allocate(256));
        Assert.Throws<ArgumentException>(() => backend.Write(inside, new float[3]));
    }

    private static double[] Values(Random random, int count) => [.. Enumerable.Range(0, count).Select(_ => (double)(float)(2 * random.NextDouble() - 1))];
}
