using ModelCompiler.Backends;
using ModelCompiler.Data;
using ModelCompiler.Models;
using ModelCompiler.Planning;
using ModelCompiler.Testing.Null;

namespace ModelCompiler.Tests.Models;

/// <summary>The loss runs over the positions that have a target and over no others.</summary>
public class LossRowsTests
{
    private const int Batch = 2;
    private const int Sequence = 12;
    private const int Vocabulary = 29;

    private static readonly TrainingPlan s_plan = new() { Batch = Batch, Sequence = Sequence, ChunkRows = 5 };
    private static readonly int[] s_ids = [.. Enumerable.Range(0, Batch * Sequence).Select(i => (7 * i + i * i / 3) % Vocabulary)];
    private static readonly int[] s_targets = [.. Enumerable.Range(0, Batch * Sequence).Select(i => (5 + 11 * i) % Vocabulary)];

    public static TheoryData<string, int[]> Runs
    {
        get
        {
            var runs = new TheoryData<string, int[]>();
            foreach (string backend in new[] { "reference", "cpu-1", "cpu-2" })
            {
                runs.Add(backend, [.. Enumerable.Range(0, Batch * Sequence)]);
                runs.Add(backend, [.. Enumerable.Range(0, Batch * Sequence).Where(i => i % Sequence >= Sequence / 2)]);
                runs.Add(backend, [0, 9, 22]);
                runs.Add(backend, [17]);
                runs.Add(backend, []);
            }

            return runs;
        }
    }

    // All positions on the Reference, less the others on it: the loss and its gradients are sums over positions.
    [Theory]
    [MemberData(nameof(Runs))]
    public void Loss_and_gradients_are_what_the_other_positions_lack(string backend, int[] positions)
    {
        using ClosedFormCombined reference = Create("reference");
        using ClosedFormCombined model = Create(backend);

        (double all, double[][] allGradients) = Sums(reference, s_targets);
        (double others, double[][] otherGradients) = Sums(reference, Only([.. Enumerable.Range(0, s_ids.Length).Except(positions)]));
        (double loss, double[][] gradients) = Sums(model, Only(positions));

        double tolerance = backend == "reference" ? 1e-12 : 1e-5;
        Assert.Equal(all - others, loss, tolerance * all);
        for (int p = 0; p < gradients.Length; p++)
        {
            double scale = Math.Max(1, allGradients[p].Max(Math.Abs));
            for (int i = 0; i < gradients[p].Length; i++)
            {
                Assert.Equal(allGradients[p][i] - otherGradients[p][i], gradients[p][i], tolerance * scale);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Runs))]
    public void Only_positions_with_a_target_send_a_gradient_down(string backend, int[] positions)
    {
        using ClosedFormCombined model = Create(backend);
        // A step with a gradient everywhere first: nothing of it may stay.
        Sums(model, s_targets);

        model.BeginStep(new Step(Batch, Sequence), s_ids, Only(positions), training: true);
        model.Forward();
        model.Loss(backward: true);

        double[] gradient = model.Values(model.ResidualGradient);
        Assert.Equal(positions, Enumerable.Range(0, s_ids.Length).Where(i => gradient.Chunk(model.Hidden.Columns).ElementAt(i).Any(g => g != 0)));
    }

    [Fact]
    public void The_head_works_for_positions_with_a_target_alone()
    {
        var backend = new NullBackend();
        using var model = ClosedFormCombined.ForTraining(s_plan, backend);
        long rows = 0;
        backend.Launched += (operation, logits) => rows += operation == nameof(IBackend.CrossEntropyGradient) ? logits.Rows : 0;
        long Logits(int[] positions)
        {
            rows = 0;
            model.BeginStep(new Step(Batch, Sequence), s_ids, Only(positions), training: true);
            model.Loss(backward: true);
            return rows;
        }

        Assert.Equal(s_ids.Length, Logits([.. Enumerable.Range(0, s_ids.Length)]));
        Assert.Equal(7, Logits([1, 2, 3, 5, 8, 13, 21]));
        Assert.Equal(1, Logits([17]));
        Assert.Equal(0, Logits([]));
    }

    [Fact]
    public void A_number_of_targets_that_never_occurred_allocates_no_managed_memory()
    {
        using ClosedFormCombined model = Create("cpu-1");
        int count = 0;
        void Step()
        {
            Span<int> targets = stackalloc int[s_ids.Length];
            targets.Fill(Example.IgnoreIndex);
            s_targets.AsSpan(0, ++count).CopyTo(targets);
            model.BeginStep(new Step(Batch, Sequence), s_ids, targets, training: true);
            model.Forward();
            model.Loss(backward: true);
            model.Backward();
        }

        Step();
        Assert.Equal(0, Allocations.Least(Step));
    }

    [Fact]
    public void Steps_that_do_not_fit_the_plan_are_refused()
    {
        using ClosedFormCombined training = Create("cpu-1");
        using ClosedFormCombined generation = ClosedFormCombined.ForGeneration(8, 1, ModelBackends.Create("cpu-1"));

        Refused("the plan's 2 x 12", () => training.BeginStep(new Step(3, Sequence), new int[36], new int[36], training: true));
        Refused("2 x 12 tokens got 23 ids", () => training.BeginStep(new Step(Batch, Sequence), s_ids.AsSpan(1), s_targets.AsSpan(1), training: true));
        Refused("24 ids have 23 targets", () => training.BeginStep(new Step(Batch, Sequence), s_ids, s_targets.AsSpan(1), training: true));
        Refused("planned for training", () => training.BeginStep(new Step(Batch, Sequence), s_ids));
        Refused("planned for generation", () => generation.BeginStep(new Step(1, 1), [1], [2], training: false));
    }

    private static void Refused(string reason, Action begin) => Assert.Contains(reason, Assert.ThrowsAny<ArgumentException>(begin).Message);

    private static int[] Only(int[] positions) => [.. s_targets.Select((target, i) => positions.Contains(i) ? target : Example.IgnoreIndex)];

    private static ClosedFormCombined Create(string backend)
    {
        var model = ClosedFormCombined.ForTraining(s_plan, ModelBackends.Create(backend));
        Initialization.All(model, seed: 3);
        return model;
    }

    private static (double Loss, double[][] Gradients) Sums(ClosedFormCombined model, int[] targets)
    {
        model.BeginStep(new Step(Batch, Sequence, LossScale: 1), s_ids, targets, training: true);
        model.Backend.Zero(model.LossSum);
        model.ZeroGradients();
        model.Forward();
        model.Loss(backward: true);
        model.Backward();
        return (model.Backend.Read(model.LossSum), [.. model.Trainable.Select(p => model.Values(p.Gradient))]);
    }
}
