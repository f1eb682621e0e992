using ModelCompiler.Adapters;
using ModelCompiler.Backends;
using ModelCompiler.Files;
using ModelCompiler.HuggingFace.Families;
using ModelCompiler.HuggingFace.Peft;
using ModelCompiler.HuggingFace.Weights;
using ModelCompiler.Models;
using ModelCompiler.Safetensors;

namespace ModelCompiler.HuggingFace.Peft;

/// <summary>The base model with its adapters merged in: W' = W + s · B A, its rows scaled to DoRA's magnitudes, in double and rounded once. The model itself stays as it is.</summary>
public static class MergedWeights
{
    private const string WeightSuffix = ".Weight";

    /// <summary>Writes model.safetensors and config.json of the merged model, which loads as the architecture without adapters.</summary>
    /// <param name="model">A model with its weights and adapters loaded.</param>
    /// <param name="folder">The folder; made if absent.</param>
    /// <param name="type">F32, F16 or BF16.</param>
    /// <exception cref="OutputException">A file cannot be written.</exception>
    /// <exception cref="ArgumentException">An adapter is on a head that is tied to the embedding, which it must not change.</exception>
    public static void Save(TransformerModel model, string folder, SafetensorsType type = SafetensorsType.F32)
    {
        BaseWeights.Save(model, folder, type, Replacement(model));
    }

    /// <summary>Writes a folder as that of the base, the model's adapters merged into its weights.</summary>
    /// <inheritdoc cref="BaseFolder.Save(TransformerModel, string, string, SafetensorsType?)"/>
    /// <exception cref="ArgumentException">An adapter is on a head that is tied to the embedding, which it must not change.</exception>
    public static string[] SaveFolder(TransformerModel model, string from, string to, SafetensorsType? type = null) =>
        BaseFolder.Save(model, from, to, type, Replacement(model));

    /// <summary>Gives a model without adapters the weights of another with an exported adapter merged in.</summary>
    /// <param name="model">Takes the weights: the architecture, not quantized.</param>
    /// <param name="from">A model over the same architecture with its weights loaded; its own adapters are left out, and so is what their start took from its weights.</param>
    /// <param name="exported">The adapter.</param>
    /// <exception cref="ArgumentException">A module has no weight of its own, as a head that is tied to the embedding, or not the adapter's size.</exception>
    public static void Load(TransformerModel model, TransformerModel from, PeftAdapter exported)
    {
        TensorMap map = MappedAdapters.MapOf(model.Tables, from.Base, exported.Modules.Keys);
        Dictionary<string, LowRankFactors> modules = MappedAdapters.Split(exported, map, static _ => null);
        RequireWeights(model, modules.Keys);
        foreach (Parameter parameter in model.Parameters)
        {
            Parameter source = from.Parameters.First(p => p.Path == parameter.Path);
            int columns = parameter.Value.Columns;
            string path = ProjectionOf(parameter);
            if (!modules.TryGetValue(path, out LowRankFactors? module))
            {
                var rows = new HostRows(from.Backend, source.Value);
                RowBlocks.Load(model.Backend, parameter.Value, (firstRow, _, values) => rows.Read((int)firstRow, values));
                continue;
            }

            if ((module.Outputs, module.Inputs) != (parameter.Value.Rows, columns))
            {
                throw new ArgumentException($"the adapter of '{path}' maps {module.Inputs} to {module.Outputs}, the weight {columns} to {parameter.Value.Rows}", nameof(exported));
            }

            var sum = new Sum(Rows(from, source, path), columns, module, exported.Config.ScaleOf(map.ModuleOf(path)));
            RowBlocks.Load(model.Backend, parameter.Value, (firstRow, _, values) => sum.Fill((int)firstRow, values));
        }
    }

    /// <summary>The projection that a weight is of; "" where it is of none.</summary>
    private static string ProjectionOf(Parameter parameter) =>
        parameter.Path.EndsWith(WeightSuffix, StringComparison.Ordinal) && !parameter.Info.Vector ? parameter.Path[..^WeightSuffix.Length] : "";

    /// <summary>The weight that an exported adapter is for: the checkpoint's where the method's start changed what the model holds.</summary>
    private static ReadDoubles Rows(TransformerModel from, Parameter weight, string path)
    {
        if (!from.Adapters.Any(a => a.Path == path && a.ChangesWeight))
        {
            return new HostRows(from.Backend, weight.Value).Read;
        }

        float[] original = from.ReadOriginal(weight);
        return (first, values) =>
        {
            for (int i = 0; i < values.Length; i++)
            {
                values[i] = original[(long)first * weight.Value.Columns + i];
            }
        };
    }

    /// <summary>Gives the merged rows of each weight that has an adapter, null for the others.</summary>
    /// <exception cref="ArgumentException">An adapter is on a head that is tied to the embedding, which it must not change.</exception>
    private static Func<Parameter, FillRows?> Replacement(TransformerModel model)
    {
        Dictionary<string, AdapterState> adapters = model.Adapters.ToDictionary(a => a.Path);
        RequireWeights(model, adapters.Keys);
        return parameter =>
        {
            if (!adapters.TryGetValue(ProjectionOf(parameter), out AdapterState? adapter))
            {
                return null;
            }

            var sum = new Sum(new HostRows(model.Backend, parameter.Value).Read, parameter.Value.Columns, adapter.ToLora(model), adapter.Scale);
            return (firstElement, destination) => sum.Fill((int)(firstElement / parameter.Value.Columns), destination);
        };
    }

    private static void RequireWeights(TransformerModel model, IEnumerable<string> projections)
    {
        HashSet<string> weights = [.. model.Parameters.Select(ProjectionOf)];
        if (projections.FirstOrDefault(path => !weights.Contains(path)) is { } tied)
        {
            throw new ArgumentException($"the adapter of '{tied}' cannot be merged: the head is the token embedding; keep it beside the base model", nameof(model));
        }
    }

    /// <summary>Gives whole rows of a weight, as many as <paramref name="values"/> holds.</summary>
    private delegate void ReadDoubles(int firstRow, Span<double> values);

    private sealed class Sum(ReadDoubles weight, int columns, LowRankFactors adapter, double scale)
    {
        /// <summary>Rows of the weight with the adapter's term, as many as <paramref name="destination"/> holds.</summary>
        public void Fill(int first, Span<float> destination)
        {
            int rows = destination.Length / columns;
            var w = new double[destination.Length];
            weight(first, w);
            for (int row = 0; row < rows; row++)
            {
                for (int r = 0; r < adapter.Rank; r++)
                {
                    double factor = scale * adapter.B[(first + row) * adapter.Rank + r];
                    for (int c = 0; c < columns; c++)
                    {
                        w[row * columns + c] += factor * adapter.A[r * columns + c];
                    }
                }

                if (adapter.Magnitude is { } magnitude)
                {
                    Rescale(w.AsSpan(row * columns, columns), magnitude[first + row]);
                }
            }

            for (int i = 0; i < destination.Length; i++)
            {
                destination[i] = (float)w[i];
            }
        }

        /// <summary>Gives a row this norm; a row of zeros has none.</summary>
        private static void Rescale(Span<double> row, double norm)
        {
            double squares = 0;
            foreach (double value in row)
            {
                squares += value * value;
            }

            double factor = squares > 0 ? norm / Math.Sqrt(squares) : 0;
            foreach (ref double value in row)
            {
                value *= factor;
            }
        }
    }
}
