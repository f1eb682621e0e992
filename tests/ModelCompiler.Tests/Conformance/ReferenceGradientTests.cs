using ModelCompiler.Tensors;
using ModelCompiler.Testing.Conformance;
using ModelCompiler.Testing.Reference;

namespace ModelCompiler.Tests.Conformance;

/// <summary>The oracle's gradients against central differences of its own forward operations.</summary>
public sealed class ReferenceGradientTests : IDisposable
{
    private const double H = 1e-3;
    private readonly ConformanceCheck check = new();
    private readonly Bench bench = new(new ReferenceBackend());

    public static TheoryData<string> Names => [.. GradientCase.All().Select(c => c.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void GradientIsTheSlope(string name)
    {
        GradientCase gradient = GradientCase.All().Single(c => c.Name == name);
        var operation = new OperationCase(gradient.Name, gradient.Operands, gradient.Forward) { Step = gradient.Step };
        Dictionary<string, double[]> values = check.Values(operation, new Variation());
        Handles handles = bench.Run(operation, values, new Variation());
        gradient.Backward(bench.Backend, handles);
        foreach ((string input, string slope) in gradient.Gradients)
        {
            double[] actual = bench.Read(handles[slope]);
            if (values.TryGetValue(slope, out double[]? initial))
            {
                actual = [.. actual.Zip(initial, (after, before) => after - before)];
            }

            double[] expected = [.. actual.Select((_, i) => Slope(gradient, handles, values, input, i))];
            double magnitude = expected.Max(Math.Abs);
            Assert.True(magnitude > 1e-3, $"{input}: all slopes are near 0, the test would prove nothing");
            for (int i = 0; i < expected.Length; i++)
            {
                Assert.True(
                    Math.Abs(actual[i] - expected[i]) <= 1e-8 * magnitude,
                    $"d{gradient.Result}/d{input}[{i}] is {actual[i]:R}, differences give {expected[i]:R}");
            }
        }
    }

    public void Dispose()
    {
        check.Dispose();
        bench.Dispose();
    }

    /// <summary>The slope by four points, whose error is of fourth order in the distance.</summary>
    private double Slope(GradientCase gradient, Handles handles, Dictionary<string, double[]> values, string input, int element)
    {
        double At(double offset)
        {
            double[] moved = [.. values[input]];
            moved[element] += offset;
            bench.Backend.Write(handles[input], moved);
            return Objective(gradient, handles, values);
        }


        double slope = (8 * (At(H) - At(-H)) - (At(2 * H) - At(-2 * H))) / (12 * H);
        bench.Backend.Write(handles[input], values[input]);
        return slope;
    }

    /// <summary>The scalar whose gradient the backward operations give: output · its gradient, or the scaled loss.</summary>
    private double Objective(GradientCase gradient, Handles handles, Dictionary<string, double[]> values)
    {
        Tensor output = handles[gradient.Result];
        if (gradient.ResultGradient == null)
        {
            bench.Backend.Zero(output);
        }

        gradient.Forward(bench.Backend, handles);
        double[] result = bench.Read(output);
        return gradient.ResultGradient == null
            ? gradient.Step.LossScale * result[0]
            : result.Zip(values[gradient.ResultGradient], (y, dy) => y * dy).Sum();
    }
}
