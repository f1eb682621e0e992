using ModelCompiler.Generation;

namespace ModelCompiler.Tests.Generation;

public class SamplerTests
{
    private static readonly float[] Logits = [.. new[] { 0.1, 0.4, 0.2, 0.3 }.Select(p => (float)Math.Log(p))];

    [Fact]
    public void Without_temperature_the_most_likely_token_is_chosen_and_of_equals_the_first()
    {
        Assert.Equal(1, Choose(new GenerationOptions(), Logits));
        Assert.Equal(0, Choose(new GenerationOptions(), [2, 2, 1]));
    }

    [Fact]
    public void Frequencies_of_draws_are_the_softmax()
    {
        double[] frequencies = Frequencies(new GenerationOptions { Temperature = 1 });
        AssertClose([0.1, 0.4, 0.2, 0.3], frequencies);
    }

    [Fact]
    public void Temperature_raises_probabilities_to_its_inverse()
    {
        double[] squares = [0.01, 0.16, 0.04, 0.09];
        AssertClose([.. squares.Select(s => s / squares.Sum())], Frequencies(new GenerationOptions { Temperature = 0.5 }));
    }

    [Fact]
    public void Top_p_keeps_the_fewest_tokens_that_reach_it()
    {
        AssertClose([0, 4.0 / 7, 0, 3.0 / 7], Frequencies(new GenerationOptions { Temperature = 1, TopP = 0.65 }));
        AssertClose([0, 1, 0, 0], Frequencies(new GenerationOptions { Temperature = 1, TopP = 1e-9 }));
    }

    [Fact]
    public void Output_that_is_not_finite_is_an_error()
    {
        Assert.Throws<GenerationException>(() => Choose(new GenerationOptions(), [1, float.NaN]));
        Assert.Throws<GenerationException>(() => Choose(new GenerationOptions(), [float.NegativeInfinity, float.NegativeInfinity]));
        Assert.Throws<GenerationException>(() => Choose(new GenerationOptions(), [float.PositiveInfinity, 0]));
    }

    private static int Choose(GenerationOptions options, float[] logits) => new Sampler(options, logits.Length).Choose(logits);

    private static double[] Frequencies(GenerationOptions options)
    {
        const int draws = 20_000;
        var sampler = new Sampler(options, Logits.Length);
        var counts = new double[Logits.Length];
        for (int i = 0; i < draws; i++)
        {
            counts[sampler.Choose(Logits)] += 1.0 / draws;
        }

        return counts;
    }

    private static void AssertClose(double[] expected, double[] actual) =>
        Assert.All(expected.Zip(actual), pair => Assert.Equal(pair.First, pair.Second, 0.02));
}
