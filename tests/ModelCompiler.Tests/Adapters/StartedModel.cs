using ModelCompiler.Adapters;
using ModelCompiler.HuggingFace.Checkpoints;
using ModelCompiler.HuggingFace.Families;
using ModelCompiler.HuggingFace.Weights;
using ModelCompiler.Models;
using ModelCompiler.Testing.Reference;
using ModelCompiler.Tests.Files;
using ModelCompiler.Tests.Models;

namespace ModelCompiler.Tests.Adapters;

/// <summary>A checkpoint of random weights, and recipes over it whose adapters have started.</summary>
internal sealed class StartedModel : IDisposable
{
    public static readonly int[] Tokens = [1, 40, 300, 7, 99];

    private readonly TemporaryFolder _folder = new();

    public StartedModel()
    {
        using Stories260K model = Model.ForGeneration<Stories260K>(8, backend: new ReferenceBackend());
        Initialization.All(model, seed: 3);
        BaseWeights.Save(model, Base);
    }

    /// <summary>The checkpoint's folder.</summary>
    public string Base => _folder.File("base");

    /// <summary>Another folder.</summary>
    public string Other => _folder.File("other");

    /// <summary>A recipe, or the bare architecture, over the checkpoint in double precision.</summary>
    public T Load<T>(string? folder = null)
        where T : TransformerModel, IModel<T>
    {
        T model = Model.ForGeneration<T>(16, backend: new ReferenceBackend());
        BaseWeights.Load(model, folder ?? Base);
        Initialization.Adapters(model, seed: 5);
        return model;
    }

    /// <summary>The weight of an adapted projection as the checkpoint has it.</summary>
    public float[] Weight(AdapterState adapter)
    {
        using Checkpoint checkpoint = Checkpoint.Open(Base);
        return checkpoint.Read(CheckpointFamily.MapOf(Stories260K.Tables).ModuleOf(adapter) + ".weight");
    }

    /// <summary>Moves A and B away from their start.</summary>
    public static void Train(TransformerModel model)
    {
        foreach (LoraAdapter adapter in model.Adapters.Cast<LoraAdapter>())
        {
            foreach (Parameter parameter in new[] { adapter.A, adapter.B })
            {
                double[] values = model.Values(parameter.Value);
                model.Backend.Write(parameter.Value, values.Select((v, i) => (float)(v + 0.05 * Math.Sin(i + adapter.Layer))).ToArray());
            }
        }
    }

    /// <summary>Logits of the last of some tokens.</summary>
    public static double[] Logits(TransformerModel model) => model.LogitsOf(Tokens)[^1];

    /// <summary>The greatest difference of two rows.</summary>
    public static double Apart(double[] one, double[] other) => one.Zip(other, (x, y) => Math.Abs(x - y)).Max();

    /// <summary>x yᵀ of row-major matrices, of which y has columns as many as x.</summary>
    public static double[] TimesTransposed(double[] x, double[] y, int columns) =>
        [.. from i in Enumerable.Range(0, x.Length / columns)
            from j in Enumerable.Range(0, y.Length / columns)
            select Enumerable.Range(0, columns).Sum(k => x[i * columns + k] * y[j * columns + k])];

    /// <summary>The transpose of a row-major matrix.</summary>
    public static double[] Transposed(double[] x, int columns) =>
        [.. from j in Enumerable.Range(0, columns) from i in Enumerable.Range(0, x.Length / columns) select x[i * columns + j]];

    /// <summary>What an adapter adds to its weight: s · B A.</summary>
    public static double[] Delta(TransformerModel model, LoraAdapter adapter) =>
        [.. TimesTransposed(model.Values(adapter.B.Value), Transposed(model.Values(adapter.A.Value), adapter.Inputs), adapter.Rank).Select(v => v * adapter.Scale)];

    public void Dispose() => _folder.Dispose();
}
