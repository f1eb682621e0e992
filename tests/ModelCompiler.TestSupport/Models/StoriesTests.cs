using System.Text.Json;
using ModelCompiler.HuggingFace.Weights;
using ModelCompiler.Models;

namespace ModelCompiler.Tests.Models;

/// <summary>The real stories260K against numpy and PyTorch in double precision.</summary>
/// <typeparam name="TBackends">The backends of the assembly that runs the tests.</typeparam>
public abstract class StoriesTests<TBackends>
    where TBackends : ITestedBackends
{
    public static TheoryData<string> Backends => TBackends.Names;

    [Theory]
    [MemberData(nameof(Backends))]
    public void Prompt_logits_are_the_references(string backend)
    {
        TestData.Require(StoriesReference.Folder);
        JsonElement reference = StoriesReference.Forward();
        int[] prompt = StoriesReference.Ids(reference.GetProperty("prompt_ids"));
        using var model = Model.ForGeneration<Stories260K>(32, backend: TBackends.Create(backend));
        BaseWeights.Load(model, TestData.PathOf(StoriesReference.Folder));

        double[][] logits = model.LogitsOf(prompt);

        double tolerance = backend == "reference" ? 1e-9 : 1e-4;
        double[] first = StoriesReference.Numbers(reference.GetProperty("last_logits_first16"));
        for (int i = 0; i < first.Length; i++)
        {
            Assert.Equal(first[i], logits[^1][i], tolerance);
        }

        Assert.Equal(reference.GetProperty("logits_sum").GetDouble(), logits.Sum(r => r.Sum()), tolerance * logits.Sum(r => r.Length));
        double nll = Enumerable.Range(0, prompt.Length - 1).Average(t => Math.Log(logits[t].Sum(Math.Exp)) - logits[t][prompt[t + 1]]);
        Assert.Equal(reference.GetProperty("prompt_mean_nll").GetDouble(), nll, tolerance);
    }

    [Theory]
    [MemberData(nameof(Backends))]
    public void Loss_and_gradients_of_the_base_are_pytorchs(string backend)
    {
        TestData.Require(StoriesReference.Folder);
        JsonElement reference = StoriesReference.Training();
        (int[][] inputs, int[][] targets) = ModelRun.Shift(StoriesReference.Rows(reference.GetProperty("rows")));
        using var model = Model.ForTraining<Stories260K>(ModelRun.PlanFor(inputs), TBackends.Create(backend));
        BaseWeights.Load(model, TestData.PathOf(StoriesReference.Folder));

        double loss = model.Differentiate(inputs, targets);

        double tolerance = backend == "reference" ? 1e-9 : 1e-4;
        Assert.Equal(reference.GetProperty("base_loss").GetDouble(), loss, tolerance);
        foreach (JsonProperty tensor in reference.GetProperty("base_grad").EnumerateObject())
        {
            double[] gradient = model.Values(model.Named(tensor.Name).Gradient);
            double norm = tensor.Value.GetProperty("l2").GetDouble();
            Assert.True(Math.Abs(ModelRun.Norm(gradient) - norm) <= tolerance * norm, $"{tensor.Name}: norm {ModelRun.Norm(gradient)}, PyTorch's {norm}");
            double largest = gradient.Max(Math.Abs);
            double[] first = StoriesReference.Numbers(tensor.Value.GetProperty("first4"));
            for (int i = 0; i < first.Length; i++)
            {
                Assert.Equal(first[i], gradient[i], tolerance * largest);
            }
        }
    }
}
