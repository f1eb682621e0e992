using ModelCompiler.Backends;
using ModelCompiler.HuggingFace.BitsAndBytes;
using ModelCompiler.HuggingFace.Families;
using ModelCompiler.Models;
using ModelCompiler.Planning;
using ModelCompiler.Safetensors;
using ModelCompiler.Tensors;

namespace ModelCompiler.HuggingFace.Weights;

/// <summary>The base's parameters of a model as the tensors of a family's checkpoint.</summary>
internal static class MappedSources
{
    /// <summary>Every tensor in floating point.</summary>
    /// <param name="model">The model.</param>
    /// <param name="map">Where each parameter goes.</param>
    /// <param name="typeOf">The type of each tensor.</param>
    /// <param name="replacement">Gives other values for some parameters; null for the model's.</param>
    public static IEnumerable<TensorSource> Of(TransformerModel model, TensorMap map, Func<TensorMapping, SafetensorsType> typeOf, Func<Parameter, FillRows?> replacement) =>
        Tensors(model, map).Select(parts => Tensor(model, parts, typeOf(parts[0].Mapping), replacement));

    /// <summary>The same with NF4 weights in bitsandbytes' form; the type of those is the one that they stand for.</summary>
    /// <exception cref="ArgumentException">No weight is quantized, one in a way that bitsandbytes has no form for, or parts of a tensor cannot be joined.</exception>
    public static IEnumerable<TensorSource> Quantized(TransformerModel model, TensorMap map, Func<TensorMapping, SafetensorsType> typeOf)
    {
        Parameter[] parameters = BaseWeights.Base(model);
        if (parameters.FirstOrDefault(p => p.Value.Type.IsQuantized() && p.Value.Type.Kind() != DType.NF4) is { } other)
        {
            throw new ArgumentException($"'{other.Path}' is {WeightFormat.Of(other.Value.Type)}: bitsandbytes has a form for NF4 only", nameof(model));
        }

        if (!parameters.Any(p => p.Value.Type.IsQuantized()))
        {
            throw new ArgumentException($"{model.Tables.Name} quantizes no weights: give it [Frozen(Storage.NF4)]", nameof(model));
        }

        return Tensors(model, map).SelectMany(parts => parts.Any(p => p.Parameter.Value.Type.IsQuantized())
            ? Nf4(model, parts, typeOf(parts[0].Mapping))
            : [Tensor(model, parts, typeOf(parts[0].Mapping), static _ => null)]);
    }

    private static IEnumerable<TensorSource> Nf4(TransformerModel model, MappedParameter[] parts, SafetensorsType type)
    {
        Tensor[] values = [.. parts.Select(p => p.Parameter.Value)];
        return parts.Length == 1 || Nf4Sources.CanJoin(values)
            ? Nf4Sources.Of(model.Backend, parts[0].Mapping.Tensor, values, type)
            : throw new ArgumentException(
                $"bitsandbytes quantizes '{parts[0].Mapping.Tensor}' as one, and {string.Join(", ", parts.Select(p => p.Parameter.Path))} cannot be joined: they need one storage in whole blocks, without double quantization", nameof(model));
    }

    /// <summary>The parameters of each tensor, in the order of their rows.</summary>
    private static IEnumerable<MappedParameter[]> Tensors(TransformerModel model, TensorMap map) => BaseWeights.Base(model)
        .Select(p => new MappedParameter(p, map.Of(p)))
        .GroupBy(p => p.Mapping.Tensor)
        .Select(parts => parts.OrderBy(p => p.Mapping.First).ToArray());

    private static TensorSource Tensor(TransformerModel model, MappedParameter[] parts, SafetensorsType type, Func<Parameter, FillRows?> replacement)
    {
        TensorMapping mapping = parts[0].Mapping;
        FillRows[] fills = [.. parts.Select(p => replacement(p.Parameter) ?? TensorSource.FromTensor(model.Backend, mapping.Tensor, p.Parameter.Value, p.Parameter.Info.Vector, type).Fill)];
        return new TensorSource(mapping.Tensor, type, mapping.Shape, parts.Length == 1 && mapping.IsPlain ? fills[0] : Fill(parts, fills));
    }

    private static FillRows Fill(MappedParameter[] parts, FillRows[] fills)
    {
        TensorMapping mapping = parts[0].Mapping;
        int columns = Math.Max(1, mapping.Columns);
        float[]? whole = null;
        return (first, destination) =>
        {
            if (mapping.Columns > 0 && !mapping.Transposed)
            {
                Join(parts, fills, first, destination);
            }
            else
            {
                if (whole is null)
                {
                    Join(parts, fills, 0, whole = new float[(long)mapping.Total * columns]);
                }

                for (int i = 0; i < destination.Length; i++)
                {
                    (long input, long output) = Math.DivRem(first + i, mapping.Total);
                    destination[i] = whole[output * columns + input];
                }

                whole = first + destination.Length == whole.Length ? null : whole;
            }
        };
    }

    /// <summary>Consecutive elements of the parts one below the other, each row after row.</summary>
    private static void Join(MappedParameter[] parts, FillRows[] fills, long first, Span<float> destination)
    {
        foreach ((MappedParameter part, FillRows fill) in parts.Zip(fills))
        {
            int columns = Math.Max(1, part.Mapping.Columns);
            long start = (long)part.Mapping.First * columns;
            long from = Math.Max(first, start);
            long to = Math.Min(first + destination.Length, start + (long)part.Mapping.Count * columns);
            if (from < to)
            {
                Span<float> rows = destination[(int)(from - first)..(int)(to - first)];
                fill(from - start, rows);
                Subtract(rows, part.Mapping.Offset);
            }
        }
    }

    private static void Subtract(Span<float> values, float offset)
    {
        if (offset != 0)
        {
            foreach (ref float value in values)
            {
                value -= offset;
            }
        }
    }
}

/// <summary>A parameter and where its checkpoint has it.</summary>
internal sealed record MappedParameter(Parameter Parameter, TensorMapping Mapping);
