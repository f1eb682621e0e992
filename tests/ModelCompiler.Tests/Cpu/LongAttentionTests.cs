using ModelCompiler.Backends;
using ModelCompiler.Backends.Cpu;
using ModelCompiler.Operations;
using ModelCompiler.Planning;
using ModelCompiler.Tensors;
using ModelCompiler.Testing.Reference;

namespace ModelCompiler.Tests.Cpu;

/// <summary>Sequences longer than one block of keys or rows, where partial results are merged; the conformance suite has the short ones.</summary>
public sealed class LongAttentionTests
{
    [Theory]
    [InlineData(1, 1, 600, 2, 1, 16, 0)]
    [InlineData(2, 2, 523, 2, 2, 20, 0)]
    [InlineData(1, 1, 1100, 1, 1, 8, 0)]
    [InlineData(3, 1, 1100, 1, 1, 32, 0)]
    [InlineData(2, 1, 300, 2, 1, 300, 0)]
    [InlineData(2, 2, 1, 4, 2, 24, 1200)]
    [InlineData(1, 2, 40, 2, 2, 24, 700)]
    public void AgreesWithReference(int threads, int batch, int sequence, int heads, int keyValueHeads, int width, int position)
    {
        using var cpu = new Rig(new CpuBackend(threads), batch, sequence, heads, keyValueHeads, width, position);
        using var reference = new Rig(new ReferenceBackend(), batch, sequence, heads, keyValueHeads, width, position);
        foreach (Rig rig in new[] { cpu, reference })
        {
            rig.Run();
        }

        string[] results = position > 0 ? ["o"] : ["o", "logSumExp", "dq", "dk", "dv"];
        foreach (string name in results)
        {
            double[] expected = reference.Read(name);
            double[] actual = cpu.Read(name);
            double magnitude = Math.Sqrt(expected.Sum(e => e * e) / expected.Length);
            for (int i = 0; i < expected.Length; i++)
            {
                Assert.True(Math.Abs(actual[i] - expected[i]) <= 2e-5 * (magnitude + Math.Abs(expected[i])), $"{name}[{i}] is {actual[i]}, Reference has {expected[i]}");
            }
        }
    }

    private sealed class Rig : IDisposable
    {
        private readonly IBackend backend;
        private readonly Dictionary<string, Tensor> tensors = [];
        private readonly int heads;
        private readonly int keyValueHeads;
        private readonly int position;
        private long used;

        public Rig(IBackend backend, int batch, int sequence, int heads, int keyValueHeads, int width, int position)
        {
            this.backend = backend;
            this.heads = heads;
            this.keyValueHeads = keyValueHeads;
            this.position = position;
            int rows = batch * sequence;
            int cacheRows = position == 0 ? 1 : batch * (position + sequence + 3);
            foreach (string name in new[] { "q", "dO", "o", "dq" })
            {
                Add(name, rows, heads * width);
            }

            foreach (string name in new[] { "k", "v", "dk", "dv" })
            {
                Add(name, rows, keyValueHeads * width);
            }

            Add("keyCache", cacheRows, keyValueHeads * width);
            Add("valueCache", cacheRows, keyValueHeads * width);
            Add("logSumExp", rows, heads);
            long workspace = backend.Profile.Workspace;
            backend.Allocate(used + workspace);
            if (workspace > 0)
            {
                backend.UseWorkspace(used, workspace);
            }

            backend.BeginStep(new Step(batch, sequence, position));
            var random = new Random(7);
            foreach (string name in new[] { "q", "k", "v", "dO", "keyCache", "valueCache" })
            {
                var values = new float[tensors[name].Count];
                for (int i = 0; i < values.Length; i++)
                {
                    values[i] = 4 * random.NextSingle() - 2;
                }

                backend.Write(tensors[name], values);
            }
        }

        public void Run()
        {
            Dictionary<string, Tensor> t = tensors;
            if (position > 0)
            {
                backend.CachedAttention(t["q"], t["k"], t["v"], t["keyCache"], t["valueCache"], t["o"], new AttentionShape(heads, keyValueHeads, t["q"].Columns / heads));
                return;
            }

            backend.Attention(t["q"], t["k"], t["v"], t["o"], t["logSumExp"], new AttentionShape(heads, keyValueHeads, t["q"].Columns / heads));
            backend.AttentionGradient(t["dO"], t["q"], t["k"], t["v"], t["o"], t["logSumExp"], t["dq"], t["dk"], t["dv"], new AttentionShape(heads, keyValueHeads, t["q"].Columns / heads));
        }

        public double[] Read(string name)
        {
            var values = new double[tensors[name].Count];
            backend.Read(tensors[name], values);
            return values;
        }

        public void Dispose() => backend.Dispose();

        private void Add(string name, int rows, int columns)
        {
            DType type = backend.Profile.Compute;
            tensors[name] = new Tensor(used, rows, columns, columns, type);
            used = backend.Profile.Align(tensors[name].End);
        }
    }
}
