using ModelCompiler.Backends;
using ModelCompiler.Backends.Cpu;
using ModelCompiler.Models;
using ModelCompiler.Optimizers;
using ModelCompiler.Planning;
using ModelCompiler.Tensors;
using ModelCompiler.Testing.Null;
using ModelCompiler.Testing.Reference;
using ModelCompiler.Tests.Training;
using ModelCompiler.Training;

namespace ModelCompiler.Tests.Optimizers;

public class PagedAdamWTests
{
    public static TheoryData<string> Backends => ["cpu", "reference"];

    [Fact]
    public void A_run_has_the_bits_of_one_that_is_not_paged()
    {
        using Stories260K paged = SmallRun.CreateModel<Stories260K>(optimizer: Optimizer.PagedAdamW);
        using Stories260K resident = SmallRun.CreateModel<Stories260K>();
        TrainingOptions options = SmallRun.Options with { Steps = 4 };
        new Trainer(paged, SmallRun.Data, options).Run();
        new Trainer(resident, SmallRun.Data, options).Run();

        Assert.True(paged.PagedMoments.Count > 100);
        Assert.Contains(paged.Trainable, p => p.Moments.Storage == MomentStorage.Full);
        Assert.Equal(SmallRun.State(resident), SmallRun.State(paged));
    }

    /// <summary>Rank 16 on gate, up and down of a Llama 2 7B: one side has 16 x 11,008 elements; all else of its adapters is 16 x 4,096.</summary>
    [Fact]
    public void By_default_only_moments_of_a_hundred_thousand_elements_are_paged()
    {
        const long large = 16 * 11_008;
        const long all = 39_976_960;
        MemoryCost cost = Llama2_7B_Lora.MemoryCost(new TrainingPlan { Optimizer = Optimizer.PagedAdamW });

        Assert.Equal(3 * 32 * large * 8, cost.Paged);
        Assert.Equal((all - 3 * 32 * large) * 8 + 2 * large * 8, cost.Optimizer);
    }

    /// <summary>What lets a device copy while it computes: a page is fetched before the one ahead of it is updated, into the buffer that is not in use.</summary>
    [Fact]
    public void The_next_page_is_fetched_before_a_page_is_updated()
    {
        var backend = new NullBackend();
        using Stories260K model = Model.ForTraining<Stories260K>(SmallRun.Plan(optimizer: Optimizer.PagedAdamW), backend);
        long[] buffers = [.. model.Plan.PageBuffers.Select(b => b.Offset)];
        var calls = new List<string>();
        backend.Launched += (operation, tensor) => calls.Add(operation == "AdamW" ? operation : $"{operation} {Array.IndexOf(buffers, tensor.Offset)}");
        new ParameterUpdates(model).Run(new AdamWStep(1e-3, 0.9, 0.999, 1e-8, 0, 1, 1));

        int resident = model.Trainable.Count(p => p.Moments.Storage == MomentStorage.Full);
        List<string> expected = ["PageIn 0", "PageIn 1", .. Enumerable.Repeat("AdamW", resident)];
        int pages = model.PagedMoments.Count;
        for (int i = 0; i < pages; i++)
        {
            int own = 2 * (i % 2);
            int next = 2 - own;
            expected.AddRange(i + 1 < pages ? [$"PageIn {next}", $"PageIn {next + 1}"] : []);
            expected.AddRange([$"AwaitPage {own}", $"AwaitPage {own + 1}", "AdamW", $"PageOut {own}", $"PageOut {own + 1}"]);
        }

        Assert.Equal(expected, calls);
    }

    [Theory]
    [MemberData(nameof(Backends))]
    public void Pages_go_out_and_come_back(string name)
    {
        using IBackend backend = name == "cpu" ? new CpuBackend(1) : new ReferenceBackend();
        backend.Allocate(4096);
        backend.AllocatePaged(1024);
        Assert.Equal(1024, backend.PagedBytes);
        Tensor one = new(0, 3, 4, 4, backend.Profile.Compute);
        Tensor other = one with { Offset = 1024 };
        float[] values = [.. Enumerable.Range(1, 12).Select(i => 0.5f * i)];
        backend.Write(one, values);

        backend.PageOut(one, 128);
        backend.PageIn(128, other);
        backend.AwaitPage(other);
        var read = new float[12];
        backend.Read(other, read);
        Assert.Equal(values, read);

        backend.PageIn(512, other);
        backend.Read(other, read);
        Assert.Equal(new float[12], read);
        Assert.Throws<ArgumentException>(() => backend.PageIn(1000, other));
        Assert.Throws<ArgumentException>(() => backend.PageOut(one with { Stride = 5 }, 0));
        Assert.Throws<InvalidOperationException>(() => backend.AllocatePaged(1));
    }

    [Fact]
    public void The_null_backend_refuses_a_copy_outside_paged_memory()
    {
        using var backend = new NullBackend();
        backend.Allocate(4096);
        backend.AllocatePaged(256);
        Tensor page = new(0, 4, 8, 8, DType.Float32);
        backend.PageOut(page, 128);
        Assert.Equal(256, backend.HighestPagedByte);
        Assert.Contains("PageIn", Assert.Throws<InvalidOperationException>(() => backend.PageIn(129, page)).Message);
    }
}
