using ModelCompiler.Backends;
using ModelCompiler.Backends.Cpu;
using ModelCompiler.Models;
using ModelCompiler.Optimizers;
using ModelCompiler.Planning;
using ModelCompiler.Tensors;
using ModelCompiler.Testing.Reference;
using ModelCompiler.Training;

namespace ModelCompiler.Tests.Models;

/// <summary>Calls that no step may make: each is refused before it reads or writes anything.</summary>
public class MisuseTests
{
    private const int Sequence = 16;

    [Theory]
    [InlineData(1, Sequence, int.MaxValue - 10)]
    [InlineData(1, Sequence, int.MaxValue)]
    [InlineData(1, Sequence, 512 - Sequence + 1)]
    [InlineData(1, Sequence, -1)]
    [InlineData(1, Sequence, int.MinValue)]
    [InlineData(-1, -Sequence, 0)]
    [InlineData(1, 0, 0)]
    [InlineData(0, Sequence, 0)]
    [InlineData(0, 0, 0)]
    [InlineData(-1, Sequence, 0)]
    [InlineData(int.MinValue, int.MinValue, 0)]
    [InlineData(2, Sequence, 0)]
    [InlineData(1, Sequence + 1, 0)]
    [InlineData(int.MaxValue, int.MaxValue, 0)]
    public void A_step_out_of_range_is_refused(int batch, int sequence, int position)
    {
        var step = new Step(batch, sequence, position);
        int[] ids = new int[Math.Clamp(unchecked(batch * sequence), 0, 64)];
        foreach (IBackend backend in (IBackend[])[new CpuBackend(1), new ReferenceBackend()])
        {
            using Stories260K_Lora training = Stories260K_Lora.ForTraining(new TrainingPlan { Sequence = Sequence }, backend);
            Assert.Throws<ArgumentOutOfRangeException>(() => training.BeginStep(step, ids, ids, training: true));
        }

        using Stories260K_Lora generation = Model.ForGeneration<Stories260K_Lora>(512, 1, new CpuBackend(1));
        Assert.Throws<ArgumentOutOfRangeException>(() => generation.BeginStep(new Step(batch, sequence == Sequence + 1 ? 257 : sequence, position), new int[sequence == Sequence + 1 ? 257 : ids.Length]));
    }

    [Fact]
    public void The_last_positions_of_context_and_cache_are_in_range()
    {
        int[] ids = new int[Sequence];
        using Stories260K_Lora training = Stories260K_Lora.ForTraining(new TrainingPlan { Sequence = Sequence }, new CpuBackend(1));
        training.BeginStep(new Step(1, Sequence, 512 - Sequence), ids, ids, training: true);
        training.Forward();
        using Stories260K_Lora generation = Model.ForGeneration<Stories260K_Lora>(20, 1, new CpuBackend(1));
        generation.BeginStep(new Step(1, Sequence, 20 - Sequence), ids);
        generation.Decode();
        Assert.Throws<ArgumentOutOfRangeException>(() => generation.BeginStep(new Step(1, 1, 20), [1]));
    }

    [Theory]
    [InlineData(0, 4, 0)]
    [InlineData(1, 0, 0)]
    [InlineData(-1, -4, 0)]
    [InlineData(1, 4, -1)]
    [InlineData(1, 4, int.MaxValue - 3)]
    [InlineData(1 << 16, 1 << 16, 0)]
    public void A_backend_refuses_the_scalars_of_such_a_step(int batch, int sequence, int position)
    {
        foreach (IBackend backend in (IBackend[])[new CpuBackend(1), new ReferenceBackend(), new Testing.Null.NullBackend()])
        {
            using (backend)
            {
                Assert.Throws<ArgumentOutOfRangeException>(() => backend.BeginStep(new Step(batch, sequence, position)));
            }
        }
    }

    [Theory]
    [InlineData(long.MaxValue - 8, 4, 4, 4)]
    [InlineData(long.MaxValue, 1, 1, 1)]
    [InlineData(long.MinValue, 4, 4, 4)]
    [InlineData(-4, 4, 4, 4)]
    [InlineData(0, int.MaxValue, int.MaxValue, int.MaxValue)]
    [InlineData(64, int.MaxValue, 1, int.MaxValue)]
    [InlineData(0, -4, 4, 4)]
    [InlineData(0, 4, -4, -4)]
    [InlineData(0, 4, 4, 3)]
    [InlineData(0, 4, 4, -4)]
    [InlineData(1 << 12, 1, 1, 1)]
    public void A_handle_that_leaves_the_arena_is_refused(long offset, int rows, int columns, int stride)
    {
        foreach (DType type in (DType[])[DType.Float32, DType.Float64, DType.BFloat16, DType.Int32, DType.UInt8, DType.NF4])
        {
            if (type == DType.NF4 && stride != columns)
            {
                continue;
            }

            var handle = new Tensor(offset, rows, columns, stride, type);
            Assert.False(handle.Fits(1 << 12));
            foreach (IBackend backend in (IBackend[])[new CpuBackend(1), new ReferenceBackend()])
            {
                using (backend)
                {
                    backend.Allocate(1 << 12);
                    Assert.Throws<ArgumentException>(() => backend.Zero(handle));
                    Assert.Throws<ArgumentException>(() => backend.Write(handle, new float[Math.Clamp(handle.Count, 0, 16)]));
                    Assert.Throws<ArgumentException>(() => backend.Read(handle, new float[Math.Clamp(handle.Count, 0, 16)]));
                }
            }
        }
    }

    [Fact]
    public void A_handle_that_just_fits_is_taken()
    {
        Assert.True(new Tensor(0, 4, 4, 5, DType.Float32).Fits((3 * 5 + 4) * 4));
        Assert.False(new Tensor(0, 4, 4, 5, DType.Float32).Fits((3 * 5 + 4) * 4 - 1));
        Assert.True(new Tensor(8, 1, 1, int.MaxValue, DType.Float64).Fits(16));
        Assert.True(Tensor.None.Fits(0));
    }

    [Theory]
    [InlineData(-1, 1)]
    [InlineData(0, 5)]
    [InlineData(4, 1)]
    [InlineData(2, -1)]
    [InlineData(int.MaxValue, 1)]
    [InlineData(1, int.MaxValue)]
    public void A_slice_has_rows_of_its_tensor_only(int first, int count) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new Tensor(0, 4, 4, 4, DType.Float32).Slice(first, count));

    [Fact]
    public void A_disposed_model_says_so()
    {
        int[] ids = new int[Sequence];
        foreach (IBackend backend in (IBackend[])[new CpuBackend(2), new ReferenceBackend()])
        {
            Stories260K_Lora model = Stories260K_Lora.ForTraining(new TrainingPlan { Sequence = Sequence }, backend);
            model.BeginStep(new Step(1, Sequence), ids, ids, training: true);
            model.Dispose();
            model.Dispose();
            Assert.Throws<ObjectDisposedException>(() => model.BeginStep(new Step(1, Sequence), ids, ids, training: true));
            Assert.Throws<ObjectDisposedException>(model.Forward);
            Assert.Throws<ObjectDisposedException>(() => model.Loss(backward: true));
            Assert.Throws<ObjectDisposedException>(model.Backward);
            Assert.Throws<ObjectDisposedException>(model.ZeroGradients);
            Assert.Throws<ObjectDisposedException>(() => model.Read(model.Parameters[0]));
            Assert.Throws<ObjectDisposedException>(() => new ParameterUpdates(model).Run(new AdamWStep(1e-3, 0.9, 0.999, 1e-8, 0, 1, 1)));
            Assert.Throws<ObjectDisposedException>(() => backend.Allocate(64));
            Assert.Throws<ObjectDisposedException>(() => backend.AllocatePaged(64));
            Assert.Throws<ObjectDisposedException>(() => backend.Read(model.LossSum));
            Assert.Throws<ObjectDisposedException>(() => Stories260K_Lora.ForTraining(new TrainingPlan { Sequence = Sequence }, backend));
        }

        var cpu = new CpuBackend(1);
        cpu.Dispose();
        Assert.Throws<ObjectDisposedException>(() => cpu.UseWorkspace(0, cpu.Profile.Workspace));
        Assert.Throws<ObjectDisposedException>(() => cpu.PageIn(0, new Tensor(0, 1, 1, 1, DType.Float32)));

        Stories260K_Lora generation = Model.ForGeneration<Stories260K_Lora>(20, 1, new CpuBackend(1));
        generation.Dispose();
        Assert.Throws<ObjectDisposedException>(() => generation.BeginStep(new Step(1, 1), [1]));
        Assert.Throws<ObjectDisposedException>(generation.Decode);
        Assert.Throws<ObjectDisposedException>(() => generation.Logits(0, 1));
    }
}
