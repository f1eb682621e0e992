using ModelCompiler.Backends;
using ModelCompiler.Backends.Cpu;
using ModelCompiler.Operations;
using ModelCompiler.Planning;
using ModelCompiler.Tensors;

namespace ModelCompiler.Tests.Cpu;

public sealed class CpuBackendTests : IDisposable
{
    private const long TensorBytes = 1 << 20;
    private readonly CpuBackend backend = new(2);

    public void Dispose() => backend.Dispose();

    [Fact]
    public void KernelsAllocateNoManagedMemory()
    {
        Start();
        backend.BeginStep(new Step(2, 16));
        Tensor x = Place(0, 32, 64), w = Place(1, 64, 64), y = Place(2, 32, 64), h = Place(3, 32, 4), b = Place(4, 64, 4), a = Place(5, 4, 64);
        Tensor o = Place(6, 32, 64), logSumExp = Place(7, 32, 4), dq = Place(8, 32, 64), dk = Place(9, 32, 64), dv = Place(10, 32, 64), db = Place(11, 1, 64);
        void Step()
        {
            backend.LowRankLinear(x, w, h, b, y, 2, db, x);
            backend.LowRankLinearGradientInput(y, w, h, a, dq);
            backend.Linear(x, a, h);
            backend.LinearGradientInput(y, b, h);
            backend.LinearGradientWeight(h, x, a);
            backend.LinearGradientWeight(y, h, b);
            backend.LinearGradientWeight(y, x, w);
            backend.LinearGradientBias(y, db);
            backend.Attention(x, x, x, o, logSumExp, new AttentionShape(4, 4, x.Columns / 4));
            backend.AttentionGradient(y, x, x, x, o, logSumExp, dq, dk, dv, new AttentionShape(4, 4, x.Columns / 4));
        }

        Step();
        Assert.Equal(0, Allocations.Least(Step));
    }

    [Fact]
    public void MemoryIsAllocatedOnce()
    {
        Start();
        Assert.Throws<InvalidOperationException>(() => backend.Allocate(64));
    }

    [Fact]
    public void BeforeAllocateAKernelSaysWhatIsMissing()
    {
        var error = Assert.Throws<InvalidOperationException>(() => backend.Linear(Place(0, 4, 4), Place(1, 4, 4), Place(2, 4, 4)));
        Assert.Contains("Allocate", error.Message);
    }

    [Fact]
    public void WithoutAWorkspaceAKernelSaysWhatIsMissing()
    {
        backend.Allocate(TensorBytes);
        var error = Assert.Throws<InvalidOperationException>(() => backend.Linear(Place(0, 4, 4), Place(1, 4, 4), Place(2, 4, 4)));
        Assert.Contains("UseWorkspace", error.Message);
    }

    [Fact]
    public void AWorkspaceBelowTheProfileIsRefused()
    {
        backend.Allocate(TensorBytes + backend.Profile.Workspace);
        Assert.Throws<ArgumentException>(() => backend.UseWorkspace(0, backend.Profile.Workspace - 64));
        Assert.Throws<ArgumentException>(() => backend.UseWorkspace(4, backend.Profile.Workspace));
    }

    [Fact]
    public void ShapesThatDoNotFitAreRefused()
    {
        Start();
        var error = Assert.Throws<ArgumentException>(() => backend.Linear(Place(0, 4, 5), Place(1, 4, 4), Place(2, 4, 4)));
        Assert.Contains("[4, 4]", error.Message);
        Assert.Throws<ArgumentException>(() => backend.Attention(Place(0, 4, 6), Place(1, 4, 6), Place(2, 4, 6), Place(3, 4, 6), Place(4, 4, 4), new AttentionShape(4, 4, 2)));
    }

    [Fact]
    public void ATensorOutsideTheArenaIsRefused()
    {
        Start();
        Tensor outside = Place(0, 4, 4) with { Offset = backend.AllocatedBytes - 16 };
        Assert.Throws<ArgumentException>(() => backend.Linear(outside, Place(1, 4, 4), Place(2, 4, 4)));
    }

    [Fact]
    public void ActivationsOfAnotherTypeAreRefused()
    {
        Start();
        Assert.Throws<ArgumentException>(() => backend.Linear(Place(0, 4, 4) with { Type = DType.BFloat16 }, Place(1, 4, 4), Place(2, 4, 4)));
    }

    private static Tensor Place(int slot, int rows, int columns) => new(slot * 32768L, rows, columns, columns, DType.Float32);

    private void Start()
    {
        long workspace = backend.Profile.Workspace;
        backend.Allocate(TensorBytes + workspace);
        backend.UseWorkspace(TensorBytes, workspace);
    }
}
