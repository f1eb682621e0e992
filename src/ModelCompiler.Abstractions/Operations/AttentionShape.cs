namespace ModelCompiler.Operations;

/// <summary>What attention is told beside its tensors.</summary>
/// <param name="Heads">Number of query heads.</param>
/// <param name="KeyValueHeads">Number of key and value heads; query head h reads head h / (Heads / KeyValueHeads).</param>
/// <param name="HeadWidth">Channels of one head.</param>
public readonly record struct AttentionShape(int Heads, int KeyValueHeads, int HeadWidth)
{
    /// <summary>Columns of queries and of the output.</summary>
    public int Width => Heads * HeadWidth;

    /// <summary>Columns of keys and of values.</summary>
    public int KeyValueWidth => KeyValueHeads * HeadWidth;

    /// <summary>Query heads that read one key head.</summary>
    public int Group => Heads / KeyValueHeads;

    /// <summary>Demands queries that are so many heads, over key heads that each serve the same number of them.</summary>
    /// <exception cref="ArgumentException">They are not.</exception>
    public void Check(int queryColumns)
    {
        if (Heads <= 0 || KeyValueHeads <= 0 || Heads % KeyValueHeads != 0 || queryColumns != Width)
        {
            throw new ArgumentException($"{queryColumns} columns are not {Heads} heads of {HeadWidth} over {KeyValueHeads} key heads.");
        }
    }
}
