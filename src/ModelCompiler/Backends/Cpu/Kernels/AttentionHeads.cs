using ModelCompiler.Backends.Cpu.Gemm;

namespace ModelCompiler.Backends.Cpu;

/// <summary>Where the heads of an attention lie, and how much of a sequence a thread keeps in its scratch at once.</summary>
internal unsafe struct AttentionHeads
{
    /// <summary>Rows of scores of a forward tile.</summary>
    public const int Rows = Tile.Rows;

    /// <summary>Sequences.</summary>
    public int Batch;

    /// <summary>Query rows of one sequence.</summary>
    public int Sequence;

    /// <summary>Key rows from one sequence to the next.</summary>
    public int KeyRows;

    /// <summary>Position of each sequence's first query row; its keys begin at position 0.</summary>
    public int Position;

    /// <summary>Query heads.</summary>
    public int Heads;

    /// <summary>Key and value heads.</summary>
    public int KeyValueHeads;

    /// <summary>Channels of one head.</summary>
    public int Width;

    /// <summary>Channels rounded up to whole panels.</summary>
    public readonly int PaddedWidth => (Width + Tile.Columns - 1) / Tile.Columns * Tile.Columns;

    /// <summary>Whether rows of a head cannot be read as whole panels where they lie.</summary>
    public readonly bool Pads => Width % Tile.Columns != 0;

    /// <summary>Query heads that share one key head.</summary>
    public readonly int Group => Heads / KeyValueHeads;

    /// <summary>Factor on q · k.</summary>
    public readonly float Scale => 1 / MathF.Sqrt(Width);

    /// <summary>The largest multiple of 32 keys, at most <paramref name="most"/>, whose floats fit.</summary>
    /// <exception cref="NotSupportedException">Not even 32 fit: the head is too wide.</exception>
    public readonly int KeysPerBlock(long scratchBytes, long fixedFloats, int floatsPerKey, int most)
    {
        long keys = (scratchBytes / sizeof(float) - fixedFloats) / floatsPerKey / Tile.Columns * Tile.Columns;
        if (keys < Tile.Columns)
        {
            throw new NotSupportedException($"A head of {Width} channels is too wide for {scratchBytes} bytes of scratch per thread.");
        }

        return (int)Math.Min(keys, most);
    }

    /// <summary>panels[key / 32][channel][key % 32] = x[key][channel]: a head transposed, as the right-hand side of x · keys.</summary>
    public readonly void PackTransposed(float* x, long stride, int keys, float* panels)
    {
        for (int key = 0; key < keys; key += Tile.Columns)
        {
            Packing.Transpose<Float32Element>(
                (byte*)(x + key * stride), stride * sizeof(float), Math.Min(Tile.Columns, keys - key), Width, panels + (nint)key * Width);
        }
    }

    /// <summary>The head's rows padded with zeros to whole panels.</summary>
    public readonly void PackPadded(float* x, long stride, int rows, float* padded)
    {
        int paddedWidth = PaddedWidth;
        for (int row = 0; row < rows; row++, x += stride, padded += paddedWidth)
        {
            new ReadOnlySpan<float>(x, Width).CopyTo(new Span<float>(padded, Width));
            new Span<float>(padded + Width, paddedWidth - Width).Clear();
        }
    }
}
