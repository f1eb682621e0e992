using ModelCompiler.Adapters;
using ModelCompiler.Files;
using ModelCompiler.Models;
using ModelCompiler.Tensors;

namespace ModelCompiler.Checkpoints;

/// <summary>The base model with its adapters merged in: W' = W + s · B A, its rows scaled to DoRA's magnitudes, in double and rounded once. The model itself stays as it is.</summary>
public static class MergedWeights
{
    /// <summary>Writes model.safetensors and config.json of the merged model, which loads as the architecture without adapters.</summary>
    /// <param name="model">A model with its weights and adapters loaded.</param>
    /// <param name="folder">The folder; made if absent.</param>
    /// <param name="type">F32 or BF16.</param>
    /// <exception cref="OutputException">A file cannot be written.</exception>
    /// <exception cref="ArgumentException">An adapter is on a head that is tied to the embedding, which it must not change.</exception>
    public static void Save(TransformerModel model, string folder, SafetensorsType type = SafetensorsType.F32)
    {
        Dictionary<string, AdapterState> adapters = model.Adapters.ToDictionary(a => a.Module + ".weight");
        HashSet<string> names = [.. model.Parameters.Select(p => p.Name)];
        if (adapters.Keys.FirstOrDefault(name => !names.Contains(name)) is { } tied)
        {
            throw new ArgumentException($"the adapter of '{tied}' cannot be merged: the head is the token embedding; keep it beside the base model", nameof(model));
        }

        BaseWeights.Save(model, folder, type, parameter =>
            adapters.TryGetValue(parameter.Name, out AdapterState? adapter) ? new Sum(model, parameter, adapter).Fill : null);
    }

    private sealed class Sum(TransformerModel model, Parameter weight, AdapterState adapter)
    {
        private readonly PeftModule _adapter = adapter.Fold(model);
        private readonly HostRows _weight = new(model.Kernels, weight.Value);

        /// <summary>Rows of the weight with the adapter's term.</summary>
        public void Fill(long firstElement, Span<float> destination)
        {
            int columns = weight.Value.Columns;
            int first = (int)(firstElement / columns);
            int rows = destination.Length / columns;
            var w = new double[destination.Length];
            _weight.Read(first, w);
            for (int row = 0; row < rows; row++)
            {
                for (int r = 0; r < _adapter.Rank; r++)
                {
                    double factor = adapter.Scale * (double)_adapter.B[(first + row) * _adapter.Rank + r];
                    for (int c = 0; c < columns; c++)
                    {
                        w[row * columns + c] += factor * _adapter.A[r * columns + c];
                    }
                }

                if (_adapter.Magnitude is { } magnitude)
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
