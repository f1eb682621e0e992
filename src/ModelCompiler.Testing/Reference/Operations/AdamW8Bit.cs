using ModelCompiler.Backends;
using ModelCompiler.Planning;
using ModelCompiler.Quantization;
using ModelCompiler.Tensors;

namespace ModelCompiler.Testing.Reference;

public sealed unsafe partial class ReferenceBackend
{
    /// <inheritdoc/>
    public void AdamW8Bit(Tensor w, Tensor g, Tensor m, Tensor v, Tensor mScales, Tensor vScales, in AdamWStep step)
    {
        double firstCorrection = 1 - Math.Pow(step.Beta1, step.Count);
        double secondCorrection = 1 - Math.Pow(step.Beta2, step.Count);
        Span<double> weights = Flat(w);
        Span<double> gradients = Flat(g);
        Span<double> firstScales = Flat(mScales);
        Span<double> secondScales = Flat(vScales);
        var firstCodes = new Span<byte>(Arena.At(m), weights.Length);
        var secondCodes = new Span<byte>(Arena.At(v), weights.Length);
        for (int block = 0; block < firstScales.Length; block++)
        {
            int start = block * MomentBlock.Elements;
            int count = Math.Min(MomentBlock.Elements, weights.Length - start);
            var first = new double[count];
            var second = new double[count];
            for (int i = 0; i < count; i++)
            {
                int at = start + i;
                double gradient = step.GradientScale * gradients[at];
                if (!double.IsFinite(gradient))
                {
                    continue;
                }

                first[i] = step.Beta1 * DynamicMap.Signed.Decode(firstCodes[at]) * firstScales[block] + (1 - step.Beta1) * gradient;
                second[i] = step.Beta2 * DynamicMap.Unsigned.Decode(secondCodes[at]) * secondScales[block] + (1 - step.Beta2) * gradient * gradient;
                double update = first[i] / firstCorrection / (Math.Sqrt(second[i] / secondCorrection) + step.Epsilon);
                weights[at] -= step.LearningRate * (update + step.WeightDecay * weights[at]);
            }

            firstScales[block] = first.Max(Math.Abs);
            secondScales[block] = second.Max();
            for (int i = 0; i < count; i++)
            {
                int code = NearestCode(DynamicMap.Signed.Values, first[i], firstScales[block]);
                bool lostSign = first[i] < 0 && DynamicMap.Signed.Values[code] >= 0;
                firstCodes[start + i] = (byte)(lostSign ? code - 1 : code);
                secondCodes[start + i] = (byte)NearestCode(DynamicMap.Unsigned.Values, second[i], secondScales[block]);
            }
        }
    }

    /// <summary>The index of the value nearest to x / scale, of two the lower; of 0 that of 0.</summary>
    private static int NearestCode(ReadOnlySpan<float> values, double x, double scale)
    {
        double normalized = x == 0 ? 0 : x / scale;
        int nearest = 0;
        for (int code = 1; code < values.Length; code++)
        {
            nearest = Math.Abs(normalized - values[code]) < Math.Abs(normalized - values[nearest]) ? code : nearest;
        }

        return nearest;
    }

    /// <summary>All elements of a tensor without gaps between its rows.</summary>
    private Span<double> Flat(Tensor x) => Row(new Tensor(x.Offset, 1, checked((int)x.Count), checked((int)x.Count), x.Type), 0);
}
