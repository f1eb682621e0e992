using ModelCompiler.HuggingFace.Weights;
using ModelCompiler.Models;
using ModelCompiler.Planning;
using ModelCompiler.Testing.Reference;

namespace ModelCompiler.Tests.Models;

/// <summary>Quantized storage changes the weights a model computes with, and nothing else.</summary>
public class QuantizedStoriesTests
{
    [Fact]
    public void Gradients_are_those_of_lora_over_the_decoded_weights()
    {
        TestData.Require(StoriesReference.Folder);
        (int[][] inputs, int[][] targets) = ModelRun.Shift(StoriesReference.Rows(StoriesReference.Training().GetProperty("rows")));
        TrainingPlan plan = ModelRun.PlanFor(inputs);
        using var quantized = Model.ForTraining<Stories260K_QLora>(plan, new ReferenceBackend());
        BaseWeights.Load(quantized, TestData.PathOf(StoriesReference.Folder));
        using var decoded = Model.ForTraining<Stories260K_Lora>(plan, new ReferenceBackend());
        foreach (Parameter parameter in decoded.Parameters)
        {
            Parameter same = quantized.Named(parameter.Path);
            if (parameter.Info.Slot >= 0)
            {
                double[] values = [.. Enumerable.Range(0, (int)parameter.Value.Count).Select(i => 0.05 * Math.Cos(1 + 7 * i + parameter.Layer))];
                quantized.Backend.Write(same.Value, values);
            }

            decoded.Backend.Write(parameter.Value, quantized.Values(same.Value));
        }

        Assert.Contains(quantized.Parameters, p => p.Value.Type == DTypeExtensions.Quantized(DType.NF4, 32, true));
        Assert.Equal(decoded.Differentiate(inputs, targets), quantized.Differentiate(inputs, targets), 1e-9);
        foreach (Parameter parameter in decoded.Trainable)
        {
            double[] expected = decoded.Values(parameter.Gradient), actual = quantized.Values(quantized.Named(parameter.Path).Gradient);
            double largest = expected.Max(Math.Abs);
            Assert.True(largest > 0, parameter.Path);
            Assert.All(expected.Zip(actual), pair => Assert.Equal(pair.First, pair.Second, 1e-6 * largest));
        }
    }
}
