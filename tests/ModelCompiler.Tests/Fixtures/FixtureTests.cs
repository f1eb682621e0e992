namespace ModelCompiler.Tests.Fixtures;

/// <summary>The fixtures say of themselves what they must, and the closed forms here are those of the script.</summary>
public class FixtureTests
{
    public static TheoryData<string> ModelNames => [.. ModelFixture.Names];

    [Theory]
    [MemberData(nameof(ModelNames))]
    public void A_model_fixture_has_parameters_of_the_closed_form_in_ordinal_order(string name)
    {
        ModelFixture fixture = ModelFixture.Load(name);

        Assert.Equal(name, fixture.Name);
        Assert.Equal(fixture.Parameters.Select(p => p.Name).Order(StringComparer.Ordinal), fixture.Parameters.Select(p => p.Name));
        for (int number = 0; number < fixture.Parameters.Length; number++)
        {
            AssertClose(fixture.Parameters[number].FirstValues, fixture.Values(number)[..4], 1e-14);
            AssertGradient(fixture.Parameters[number]);
        }
    }

    [Theory]
    [MemberData(nameof(ModelNames))]
    public void A_model_fixture_has_the_loss_of_its_logits(string name)
    {
        ModelFixture fixture = ModelFixture.Load(name);
        int[] targets = [.. fixture.Targets.SelectMany(row => row)];

        double sum = 0;
        for (int token = 0; token < targets.Length; token++)
        {
            if (targets[token] >= 0)
            {
                double[] row = fixture.Logits[token];
                sum += Math.Log(row.Sum(Math.Exp)) - row[targets[token]];
            }
        }

        Assert.Equal(fixture.Logits.Length, targets.Length);
        Assert.All(fixture.Logits, row => Assert.Equal(fixture.Model.Vocabulary, row.Length));
        Assert.Equal(fixture.Loss, sum / targets.Count(t => t >= 0), 1e-12);
        AssertTokens(fixture.Inputs, 11, fixture.Model.Vocabulary);
    }

    [Fact]
    public void The_whole_gradients_of_the_gpt2_like_model_are_there() =>
        Assert.All(ModelFixture.Load("gpt2").Parameters, p => Assert.NotNull(p.Gradient));

    [Fact]
    public void The_lora_fixtures_have_adapters_of_the_closed_form()
    {
        foreach (LoraFixture fixture in new[] { LoraFixture.QueryAndValue(), LoraFixture.AllProjections() })
        {
            Assert.Equal(fixture.RankStabilized ? fixture.Alpha / Math.Sqrt(fixture.Rank) : fixture.Alpha / (double)fixture.Rank, fixture.Scale, 1e-15);
            Assert.Equal(5 * 2 * fixture.Targets.Length, fixture.Parameters.Length);
            AssertTokens(fixture.Inputs, 24, 512);
            Assert.All(fixture.Parameters, p => AssertClose(p.FirstValues, fixture.Values(p)[..4], 1e-14));
            Assert.All(fixture.Parameters, AssertGradient);
        }

        Assert.All(LoraFixture.QueryAndValue().Parameters, p => Assert.NotNull(p.Gradient));
    }

    [Fact]
    public void The_lora_run_clips_warms_up_and_learns()
    {
        LoraFixture fixture = LoraFixture.AllProjections();
        LoraRun run = Assert.IsType<LoraRun>(fixture.Run);

        Assert.Equal(run.Steps, run.Rates.Length);
        Assert.Equal(run.Steps + 1, run.Losses.Length);
        Assert.Equal(fixture.Loss, run.Losses[0], 1e-12);
        Assert.True(run.Losses[^1] < run.Losses[0]);
        Assert.All(run.GradientNorms, norm => Assert.True(norm > run.Clip));
        Assert.Equal(Math.Sqrt(fixture.Parameters.Sum(p => p.Norm * p.Norm)), run.GradientNorms[0], 1e-12);
        Assert.Equal(fixture.Parameters.Select(p => p.Name), run.EndNorms.Keys);
    }

    private static void AssertGradient(FixtureParameter parameter)
    {
        if (parameter.Gradient is not { } gradient)
        {
            return;
        }

        Assert.Equal(parameter.Shape.Aggregate(1, (a, b) => a * b), gradient.Length);
        Assert.Equal(parameter.First, gradient[..parameter.First.Length]);
        Assert.Equal(parameter.Norm, Math.Sqrt(gradient.Sum(g => g * g)), 1e-12);
    }

    private static void AssertTokens(int[][] inputs, int length, int vocabulary) =>
        Assert.Equal(
            Enumerable.Range(0, 2).Select(b => Enumerable.Range(0, length).Select(t => ClosedForm.Token(b, t, vocabulary)).ToArray()),
            inputs);

    private static void AssertClose(double[] expected, double[] actual, double tolerance)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (int k = 0; k < expected.Length; k++)
        {
            Assert.Equal(expected[k], actual[k], tolerance);
        }
    }
}
