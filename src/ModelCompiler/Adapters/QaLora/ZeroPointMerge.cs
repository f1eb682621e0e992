using System.Runtime.InteropServices;
using ModelCompiler.Models;
using ModelCompiler.Planning;
using ModelCompiler.Tensors;

namespace ModelCompiler.Adapters;

/// <summary>
/// Merges QA-LoRA adapters into the Int4 weights under them (Xu et al. 2023, section 3.3). What an adapter adds to a weight is the same for
/// all inputs of a group, so it moves the zero points, z' = z − (s / g) · (B A) / scale, and leaves codes and scales as they are.
/// </summary>
public static class ZeroPointMerge
{
    /// <summary>
    /// Moves the zero points of a model's weights, and sets its adapters to add nothing more: the model computes what it did. Weights
    /// then saved as F32 become the same codes when they are loaded as Int4 again.
    /// </summary>
    /// <param name="model">A model with its weights and adapters loaded.</param>
    /// <exception cref="ArgumentException">
    /// An adapter is not QA-LoRA, its weight is not Int4, or a block of the weight is of several groups: nothing was merged, and only
    /// a merge into unquantized weights can take it.
    /// </exception>
    public static void Apply(TransformerModel model)
    {
        (QaLoraAdapter Adapter, Parameter Weight)[] pairs = [.. model.Adapters.Select(a => Pair(model, a))];
        foreach ((QaLoraAdapter adapter, Parameter weight) in pairs)
        {
            Merge(model, adapter, weight.Value);
            Initialization.Constant(model, adapter.B, 0);
        }
    }

    /// <summary>Whether zero points can take all adapters of a model.</summary>
    public static bool CanApply(TransformerModel model) => model.Adapters.Count > 0 && model.Adapters.All(a => Problem(model, a) is null);

    private static (QaLoraAdapter Adapter, Parameter Weight) Pair(TransformerModel model, AdapterState adapter) => Problem(model, adapter) is { } problem
        ? throw new ArgumentException(problem, nameof(model))
        : ((QaLoraAdapter)adapter, Weight(model, adapter)!);

    // A tied head is the embedding and has no parameter of its own; embeddings are never Int4.
    private static Parameter? Weight(TransformerModel model, AdapterState adapter) => adapter.WeightIn(model) is { Info.Path: not "TokenEmbedding" } weight ? weight : null;

    private static string? Problem(TransformerModel model, AdapterState adapter)
    {
        string name = adapter.Path;
        if (adapter is not QaLoraAdapter { GroupSize: var size })
        {
            return $"the {adapter.Slot.Method} adapter of '{name}' has a column for every input, which zero points of groups cannot take";
        }

        Parameter? weight = Weight(model, adapter);
        if (weight is not null && weight.Value.Type.Kind() == DType.Int4 && size % weight.Value.Type.BlockSize() == 0)
        {
            return null;
        }

        string stored = weight is null ? "the token embedding" : weight.Value.Type.IsQuantized() ? WeightFormat.Of(weight.Value.Type).ToString() : weight.Value.Type.ToString();
        return $"'{name}' is {stored}, which cannot take an adapter on groups of {size} inputs: that needs Int4 in blocks that divide the groups";
    }

    private static void Merge(TransformerModel model, QaLoraAdapter adapter, Tensor weight)
    {
        StorageLayout layout = StorageLayout.Of(weight.Type, weight.Rows, weight.Columns);
        var packed = new byte[layout.Bytes];
        model.Backend.Read(weight.Bytes, packed.AsSpan());
        Span<float> scales = Floats(packed, layout.Factors, layout.Blocks);
        Span<float> zeros = Floats(packed, layout.Zeros, layout.Blocks);
        float[] a = model.Read(adapter.A);
        float[] b = model.Read(adapter.B);
        int groups = adapter.A.Value.Columns;
        int perGroup = adapter.GroupSize / weight.Type.BlockSize();
        double factor = (double)adapter.Scale / adapter.GroupSize;
        for (int output = 0; output < weight.Rows; output++)
        {
            for (int group = 0; group < groups; group++)
            {
                double added = 0;
                for (int r = 0; r < adapter.Rank; r++)
                {
                    added += (double)b[output * adapter.Rank + r] * a[r * groups + group];
                }

                int first = (output * groups + group) * perGroup;
                for (int block = first; block < first + perGroup; block++)
                {
                    // No scale is 0: a group of equal weights has 1 (Int4.Encode).
                    zeros[block] = (float)(zeros[block] - factor * added / scales[block]);
                }
            }
        }

        model.Backend.Write(weight.Bytes, (ReadOnlySpan<byte>)packed);
    }

    private static Span<float> Floats(byte[] packed, long offset, long count) => MemoryMarshal.Cast<byte, float>(packed.AsSpan((int)offset, (int)(4 * count)));
}
