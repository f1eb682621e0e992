using ModelCompiler.Models;
using ModelCompiler.Planning;

namespace ModelCompiler.Tests.Models;

public class InitializationTests
{
    [Fact]
    public void Weights_are_normal_and_those_that_end_a_sublayer_smaller()
    {
        using Stories260K model = Create<Stories260K>("cpu-1");
        Initialization.All(model, seed: 7);

        Check(model, model.TokenEmbedding, 0.02);
        Check(model, model.Layers[1].FeedForward.Up.Weight, 0.02);
        Check(model, model.Layers[1].FeedForward.Down.Weight, 0.02 / Math.Sqrt(10));
        Check(model, model.Layers[4].Attention.Output.Weight, 0.02 / Math.Sqrt(10));
        Assert.All(model.Values(model.FinalNorm.Weight), v => Assert.Equal(1, v));
    }

    [Fact]
    public void Norms_and_layer_scales_are_one_and_biases_zero()
    {
        using ClosedFormCombined model = Create<ClosedFormCombined>("reference");
        Initialization.All(model, seed: 7);

        Assert.All(model.Parameters.Where(p => p.Info.Vector), p =>
            Assert.All(model.Values(p), v => Assert.Equal(p.Info.Kind == ParameterKind.Bias ? 0 : 1, v)));
    }

    [Fact]
    public void Adapters_start_uniform_within_one_over_the_root_of_the_inputs_and_add_nothing()
    {
        using StoriesLoraStabilized model = Create<StoriesLoraStabilized>("reference");
        Initialization.Adapters(model, seed: 7);

        double[] a = model.Values(model.Layers[0].FeedForward.Down.Adapter.A);
        double bound = 1 / Math.Sqrt(172);
        Assert.All(a, v => Assert.InRange(v, -bound, bound));
        Assert.Equal(bound / Math.Sqrt(3), Math.Sqrt(a.Average(v => v * v)), bound / 20);
        Assert.All(model.Values(model.Layers[0].FeedForward.Down.Adapter.B), v => Assert.Equal(0, v));
        Assert.NotEqual(model.Values(model.Layers[0].Attention.Query.Adapter.A), model.Values(model.Layers[1].Attention.Query.Adapter.A));
    }

    [Fact]
    public void Adapters_may_start_normal_with_a_deviation_of_one_over_the_rank()
    {
        using StoriesGaussian model = Create<StoriesGaussian>("reference");
        Initialization.Adapters(model, seed: 7);

        double[] a = [.. model.Layers.SelectMany(layer => model.Values(layer.FeedForward.Down.Adapter.A))];
        Assert.Equal(0.25, Math.Sqrt(a.Average(v => v * v)), 0.25 / 50);
        Assert.Equal(3, a.Average(v => v * v * v * v) / Math.Pow(a.Average(v => v * v), 2), 0.3);
        Assert.All(model.Values(model.Layers[0].FeedForward.Down.Adapter.B), v => Assert.Equal(0, v));
    }

    [Fact]
    public void The_same_seed_gives_the_same_weights_on_any_number_of_threads_and_another_seed_others()
    {
        using StoriesLoraStabilized one = Create<StoriesLoraStabilized>("cpu-1");
        using StoriesLoraStabilized two = Create<StoriesLoraStabilized>("cpu-2");
        Initialization.All(one, seed: 7);
        Initialization.All(two, seed: 7);
        Assert.All(one.Parameters.Zip(two.Parameters), pair => Assert.Equal(one.Values(pair.First), two.Values(pair.Second)));

        double[] before = two.Values(two.TokenEmbedding);
        Initialization.All(two, seed: 8);
        Assert.NotEqual(before, two.Values(two.TokenEmbedding));
    }

    private static T Create<T>(string backend)
        where T : TransformerModel, IModel<T> => Model.ForTraining<T>(new TrainingPlan { Sequence = 8 }, ModelBackends.Create(backend));

    private static void Check(TransformerModel model, Parameter parameter, double deviation)
    {
        double[] values = model.Values(parameter);
        Assert.Equal(0, values.Average(), deviation * 0.1);
        Assert.Equal(deviation, Math.Sqrt(values.Average(v => v * v)), deviation * 0.05);
    }
}
