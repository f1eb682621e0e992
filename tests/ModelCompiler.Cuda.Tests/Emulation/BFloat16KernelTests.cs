using ModelCompiler.Backends;
using ModelCompiler.Cuda.Tests.Kernels;
using ModelCompiler.Planning;
using ModelCompiler.Tensors;
using ModelCompiler.Testing.Conformance;

namespace ModelCompiler.Cuda.Tests.Emulation;

/// <summary>
/// Kernels for bfloat16 activations against the same kernels for Float32 on the same values, which agree with Reference: they compute alike
/// and round what they write, so a result is off by one rounding.
/// </summary>
public sealed class BFloat16KernelTests : IClassFixture<BFloat16KernelTests.Shared>
{
    private const int ArenaBytes = 4 << 20;
    private const int OperandBytes = 1 << 20;

    /// <summary>Tensors that are Float32 always, like parameters' gradients.</summary>
    private static readonly string[] Statistics = ["rstd", "statistics", "logSumExp", "weights", "inverse"];

    /// <summary>Operations that see parameters only.</summary>
    private static readonly string[] OfParameters =
    [
        nameof(IBackend.AdamW), nameof(IBackend.AdamE), nameof(IBackend.AdamW8Bit), nameof(IBackend.SquaredNorm), nameof(IBackend.InverseRowNorm),
        nameof(IBackend.ShrinkGates), nameof(IBackend.RowProducts), nameof(IBackend.Importance),
    ];

    private readonly Shared shared;

    public BFloat16KernelTests(Shared shared) => this.shared = shared;

    public static TheoryData<string> Operations => [.. EmulatedKernelTests.Names.Except(OfParameters).Except(AttentionKernelTests.Names)];

    [Theory]
    [MemberData(nameof(Operations))]
    public void RoundsWhatFloatComputes(string operation)
    {
        HostClang.Require();
        foreach (OperationCase c in OperationCases.All[operation])
        {
            Dictionary<string, double[]> values = shared.Check.Values(c, new Variation(WeightType: DType.BFloat16));
            foreach (Operand operand in c.Operands.Where(o => o.Role is Role.Input or Role.Derived && !Statistics.Contains(o.Name)))
            {
                values[operand.Name] = [.. values[operand.Name].Select(Rounded)];
            }

            Dictionary<string, double[]> expected = Run(c, values, DType.Float32);
            Dictionary<string, double[]> actual = Run(c, values, DType.BFloat16);
            foreach ((string name, double[] floats) in expected)
            {

                // A product's bias and the first of two products are rounded by themselves.
                double least = operation.Contains("Linear") ? Math.Max(1, floats.Max(Math.Abs)) / 128 : 1e-5 * floats.Max(Math.Abs);
                for (int i = 0; i < floats.Length; i++)
                {
                    double allowed = Math.Abs(floats[i]) / 256 + least;
                    Assert.True(
                        Math.Abs(actual[name][i] - floats[i]) <= allowed, $"{c}: {name}[{i}] is {actual[name][i]:R}, in Float32 {floats[i]:R}");
                }
            }
        }
    }

    private static double Rounded(double value) => HostTransfer.FromBFloat16(HostTransfer.ToBFloat16((float)value));

    /// <summary>The results of a case with activations and weights of a type.</summary>
    private Dictionary<string, double[]> Run(OperationCase c, Dictionary<string, double[]> values, DType activation)
    {
        var handles = new Handles();
        long offset = 0;
        foreach (Operand operand in c.Operands)
        {
            DType type = operand.Role switch
            {
                Role.Ids => DType.Int32,
                Role.Accumulator => DType.Float32,
                _ => Statistics.Contains(operand.Name) ? DType.Float32 : activation,
            };
            var tensor = new Tensor(offset, operand.Rows, operand.Columns, operand.Columns, type);
            handles[operand.Name] = tensor;
            offset = (tensor.End + 255) / 256 * 256;
            shared.Backend.Write(tensor, values.GetValueOrDefault(operand.Name) ?? new double[tensor.Count]);
        }

        shared.Backend.BeginStep(c.Step);
        c.Call(shared.Backend, handles);
        var results = new Dictionary<string, double[]>();
        foreach (Operand operand in c.Operands.Where(o => o.IsResult))
        {
            results[operand.Name] = new double[handles[operand.Name].Count];
            shared.Backend.Read(handles[operand.Name], results[operand.Name].AsSpan());
        }

        return results;
    }

    /// <summary>Kernels compiled once for the whole class.</summary>
    public sealed class Shared : IDisposable
    {
        private readonly Lazy<EmulatedGpu> gpu = new(() =>
        {
            var created = new EmulatedGpu(DType.BFloat16);
            long workspace = created.Backend.Profile.Workspace + OperandBytes;
            created.Backend.Allocate(ArenaBytes + workspace);
            created.Backend.UseWorkspace(ArenaBytes, workspace);
            return created;
        });

        internal EmulatedGpu Gpu => gpu.Value;

        internal CudaBackend Backend => gpu.Value.Backend;

        internal ConformanceCheck Check { get; } = new();

        public void Dispose()
        {
            Check.Dispose();
            if (gpu.IsValueCreated)
            {
                Backend.Dispose();
            }
        }
    }
}
