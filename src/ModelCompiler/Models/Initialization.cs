using ModelCompiler.Adapters;
using ModelCompiler.Numerics;
using ModelCompiler.Planning;
using ModelCompiler.Quantization;
using ModelCompiler.Tensors;

namespace ModelCompiler.Models;

/// <summary>Start values. Each depends on the seed, the parameter and the element's place only: not on backend, threads or rank of others.</summary>
public static class Initialization
{
    private const double StandardDeviation = 0.02;

    /// <summary>
    /// Start of training from nothing: weights N(0, 0.02²), those that end a sublayer N(0, 0.02² / 2L) (GPT-2, section 2.3), norms and
    /// layer scales 1, biases 0. Adapters as in <see cref="Adapters"/>.
    /// </summary>
    /// <param name="model">The model.</param>
    /// <param name="seed">The seed.</param>
    public static void All(TransformerModel model, ulong seed)
    {
        model.Base = null;
        double residual = StandardDeviation / Math.Sqrt(2.0 * model.Tables.Layers);
        foreach (Parameter parameter in model.Parameters.Where(p => p.Info.Slot < 0))
        {
            string path = parameter.Info.Path;
            if (parameter.Info.Kind != ParameterKind.Matrix)
            {
                Constant(model, parameter, parameter.Info.Kind == ParameterKind.Bias ? 0 : 1);
            }
            else
            {
                bool endsSublayer = path.EndsWith(".Output.Weight", StringComparison.Ordinal) || path.EndsWith(".Down.Weight", StringComparison.Ordinal);
                double deviation = endsSublayer ? residual : StandardDeviation;
                Fill(model, parameter, seed, (ref SplitMix random) => deviation * random.Normal());
            }
        }

        Adapters(model, seed);
    }

    /// <summary>Start of adapters, each as its method says, so that the model computes what its base does. The base's weights are loaded.</summary>
    /// <param name="model">The model.</param>
    /// <param name="seed">The seed.</param>
    public static void Adapters(TransformerModel model, ulong seed)
    {
        foreach (AdapterState adapter in model.Adapters)
        {
            adapter.Initialize(model, seed);
            Garbage.Limit();
        }
    }

    /// <summary>Fills a parameter with numbers uniform in ±<paramref name="bound"/>.</summary>
    public static void Uniform(TransformerModel model, Parameter parameter, ulong seed, double bound) =>
        Fill(model, parameter, seed, (ref SplitMix random) => bound * (2 * random.Uniform() - 1));

    /// <summary>Fills a parameter with numbers of N(0, deviation²).</summary>
    public static void Normal(TransformerModel model, Parameter parameter, ulong seed, double deviation) =>
        Fill(model, parameter, seed, (ref SplitMix random) => deviation * random.Normal());

    /// <summary>Fills a parameter with one number.</summary>
    public static void Constant(TransformerModel model, Parameter parameter, double value) => Fill(model, parameter, 0, (ref _) => value);

    private delegate double Draw(ref SplitMix random);

    private static void Fill(TransformerModel model, Parameter parameter, ulong seed, Draw next)
    {
        var random = new SplitMix(seed, RandomStream.Of(model.Tables, parameter));
        Tensor value = parameter.Value;
        var row = new double[value.Columns];
        byte[] packed = value.Type.IsQuantized() ? new byte[value.Bytes.Columns] : [];
        WeightQuantizer? quantizer = value.Type.IsQuantized() ? new WeightQuantizer(value.Type, value.Rows, value.Columns, packed) : null;
        for (int r = 0; r < value.Rows; r++)
        {
            for (int c = 0; c < row.Length; c++)
            {
                row[c] = next(ref random);
            }

            if (quantizer is null)
            {
                model.Backend.Write(value.Slice(r, 1), row);
            }
            else
            {
                quantizer.Add([.. row.Select(v => (float)v)]);
            }
        }

        if (quantizer is not null)
        {
            quantizer.Complete();
            model.Backend.Write(value.Bytes, packed);
        }
    }
}
