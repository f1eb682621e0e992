using ModelCompiler.HuggingFace.Weights;
using ModelCompiler.Models;
using ModelCompiler.Testing.Reference;
using ModelCompiler.Tests.Models;

namespace ModelCompiler.Tests.Adapters;

/// <summary>Starts over the weights of a trained model, whose spectra fall.</summary>
public class TrainedWeightsTests
{
    [Fact]
    public void Pissa_keeps_the_loss_and_Loftq_is_nearer_to_it_than_NF4_alone()
    {
        TestData.Require(StoriesReference.Folder);
        double bare = Loss<StoriesGaussian>();
        double pissa = Loss<StoriesPissa>();
        double nf4 = Loss<StoriesLoraFourNf4>();
        double loftq = Loss<StoriesLoftqFive>();
        Assert.Equal(bare, pissa, 1e-5);
        Assert.True(Math.Abs(loftq - bare) < 0.9 * Math.Abs(nf4 - bare), $"{loftq} with LoftQ, {nf4} without, {bare} before quantization");
    }

    private static double Loss<T>()
        where T : TransformerModel, IModel<T>
    {
        (int[][] inputs, int[][] targets) = ModelRun.Shift(StoriesReference.Rows(StoriesReference.Training().GetProperty("rows")));
        using T model = Model.ForTraining<T>(ModelRun.PlanFor(inputs), new ReferenceBackend());
        BaseWeights.Load(model, TestData.PathOf(StoriesReference.Folder));
        Initialization.Adapters(model, seed: 5);
        return model.Differentiate(inputs, targets);
    }
}
