using ModelCompiler.Backends;
using ModelCompiler.Backends.Cpu;
using ModelCompiler.Tensors;
using ModelCompiler.Testing.Reference;

namespace ModelCompiler.Tests.Optimizers;

/// <summary>AdamE's rules on single numbers, as its kernel in bitsandbytes has them.</summary>
public class AdamETests
{
    public static TheoryData<string> Backends => ["reference", "cpu"];

    /// <summary>Without a gradient only the L1 term moves: by one step of rate · lasso towards 0, and not at all within it.</summary>
    [Theory]
    [MemberData(nameof(Backends))]
    public void The_l1_term_has_a_dead_zone(string backend)
    {
        var step = new AdamWStep(0.02, 0.9, 0.999, 1e-8, 0, 1, 1);
        double[] weights = Step(backend, [1, -1, 1e-5, -1e-5, 0, 2.1e-5], new double[6], step, lasso: 1e-3);

        Assert.Equal([1 - 2e-5, -1 + 2e-5, 1e-5, -1e-5, 0, 1e-6], weights, (e, a) => Math.Abs(e - a) <= 1e-7);
        Assert.Equal([(float)1e-5, (float)-1e-5, 0f], weights[2..5].Select(w => (float)w));
    }

    /// <summary>Both terms are of the weight after Adam's step, which without bias is rate · sign of the gradient.</summary>
    [Theory]
    [MemberData(nameof(Backends))]
    public void Decay_and_l1_follow_the_step(string backend)
    {
        var step = new AdamWStep(0.1, 0.9, 0.999, 1e-12, 0.5, 1, 1);
        double[] weights = Step(backend, [1, 1, 0.12, -0.12], [1, -1, 1, 1], step, lasso: 0.25);

        // p = 0.9, 1.1, 0.02 and -0.22; decay keeps 0.95 of each, and 0.025 is taken where p is further from 0 than that.
        double[] expected = [0.9 * 0.95 - 0.025, 1.1 * 0.95 - 0.025, 0.02 * 0.95, -0.22 * 0.95 + 0.025];
        Assert.Equal(expected, weights, (e, a) => Math.Abs(e - a) <= 1e-6);
    }

    private static double[] Step(string name, double[] weights, double[] gradient, AdamWStep step, double lasso)
    {
        using IBackend backend = name == "cpu" ? new CpuBackend(1) : new ReferenceBackend();
        backend.Allocate(1024);
        Tensor w = new(0, 1, weights.Length, weights.Length, backend.Profile.Compute);
        Tensor g = w with { Offset = 256 };
        backend.Write(w, (ReadOnlySpan<double>)weights);
        backend.Write(g, (ReadOnlySpan<double>)gradient);
        backend.AdamE(w, g, w with { Offset = 512 }, w with { Offset = 768 }, step, lasso);
        var result = new double[weights.Length];
        backend.Read(w, result.AsSpan());
        return result;
    }
}
