using ModelCompiler.Backends.Cpu.Gemm;

namespace ModelCompiler.Backends.Cpu;

/// <summary>
/// Attention of rows of queries against keys before and at their own position. A work item is one head and a block of its rows. Per block
/// of keys, the keys are transposed into panels; then 12 rows at a time get their scores, the softmax of the block and its
/// output, which is merged with that of the blocks before through the log of the sums (Dao et al. 2022). A strip of 12 rows of scores is
/// all that ever exists of the [sequence, sequence] matrix.
/// </summary>
internal unsafe struct AttentionForward
{
    private const int MostKeys = 512;
    private const int MostRows = 85 * AttentionHeads.Rows;

    /// <summary>Shapes.</summary>
    public AttentionHeads Heads;

    /// <summary>Queries, keys, values, outputs; outputs may be null.</summary>
    public float* Q, K, V, O;

    /// <summary>Log of the sum of exponentials per row and head, or null.</summary>
    public float* LogSumExp;

    /// <summary>Elements from one row to the next.</summary>
    public long QStride, KStride, VStride, OStride, LogSumExpStride;

    /// <summary>Scratch of the first thread.</summary>
    public byte* Workspace;

    /// <summary>Bytes from one thread's scratch to the next.</summary>
    public long WorkspacePerThread;

    /// <summary>Bytes of scratch a thread may use; the result depends on it in the last digits, so it comes from the profile.</summary>
    public long ScratchBytes;

    /// <summary>Whether the rows of an item are the heads of one group, all at one position: for a single generated token.</summary>
    private bool rowsAreHeads;
    private int itemsPerSequence;
    private int rowsPerItem;
    private int rowBlocks;
    private int keysPerBlock;

    /// <summary>Runs on the team.</summary>
    public static void Run(AttentionForward* attention, ThreadTeam team)
    {
        ref AttentionHeads heads = ref attention->Heads;
        attention->rowsAreHeads = heads.Sequence == 1;
        int rows = attention->rowsAreHeads ? heads.Group : heads.Sequence;
        attention->itemsPerSequence = attention->rowsAreHeads ? heads.KeyValueHeads : heads.Heads;
        int wanted = team.Threads == 1 ? 1 : (4 * team.Threads - 1) / (heads.Batch * attention->itemsPerSequence) + 1;
        int rowsPerItem = Math.Min(MostRows, Math.Max((rows + wanted - 1) / wanted, 4 * AttentionHeads.Rows));
        attention->rowsPerItem = (rowsPerItem + AttentionHeads.Rows - 1) / AttentionHeads.Rows * AttentionHeads.Rows;
        attention->rowBlocks = (rows + attention->rowsPerItem - 1) / attention->rowsPerItem;
        long fixedFloats = MostRows + AttentionHeads.Rows * heads.PaddedWidth + 16 * Tile.Columns;
        attention->keysPerBlock = heads.KeysPerBlock(
            attention->ScratchBytes, fixedFloats, heads.Width + (heads.Pads ? heads.PaddedWidth : 0) + AttentionHeads.Rows, MostKeys);
        team.Run(heads.Batch * attention->itemsPerSequence * attention->rowBlocks, &Work, attention);
    }

    private static void Work(void* context, int block, int thread)
    {
        var attention = (AttentionForward*)context;

        // The last rows see the most keys: they go first, so that the team ends together.
        int items = attention->Heads.Batch * attention->itemsPerSequence;
        int rowBlock = attention->rowBlocks - 1 - block / items;
        int item = block % items;
        var part = new Part { Attention = attention };
        part.Place(item / attention->itemsPerSequence, item % attention->itemsPerSequence, thread);
        part.Compute(rowBlock * attention->rowsPerItem);
    }

    private struct Part
    {
        public AttentionForward* Attention;
        private float* q, k, v, o, logSumExp;
        private long qStride, oStride, logSumExpStride;
        private float* state, tile, scores, values, panels;

        public void Place(int sequence, int head, int thread)
        {
            AttentionForward* attention = Attention;
            ref AttentionHeads heads = ref attention->Heads;
            int queryHead = attention->rowsAreHeads ? head * heads.Group : head;
            int keyHead = attention->rowsAreHeads ? head : head / heads.Group;
            long firstRow = (long)sequence * heads.Sequence;
            long firstKey = (long)sequence * heads.KeyRows;
            q = attention->Q + firstRow * attention->QStride + queryHead * heads.Width;
            o = attention->O == null ? null : attention->O + firstRow * attention->OStride + queryHead * heads.Width;
            logSumExp = attention->LogSumExp == null ? null : attention->LogSumExp + firstRow * attention->LogSumExpStride + queryHead;
            qStride = attention->rowsAreHeads ? heads.Width : attention->QStride;
            oStride = attention->rowsAreHeads ? heads.Width : attention->OStride;
            logSumExpStride = attention->rowsAreHeads ? 1 : attention->LogSumExpStride;
            k = attention->K + firstKey * attention->KStride + keyHead * heads.Width;
            v = attention->V + firstKey * attention->VStride + keyHead * heads.Width;

            int keys = attention->keysPerBlock;
            state = (float*)(attention->Workspace + thread * attention->WorkspacePerThread);
            tile = state + MostRows;
            scores = tile + AttentionHeads.Rows * heads.PaddedWidth;
            values = scores + AttentionHeads.Rows * keys;
            panels = values + (heads.Pads ? keys * heads.PaddedWidth : 0);
        }

        public void Compute(int firstRow)
        {
            AttentionForward* attention = Attention;
            ref AttentionHeads heads = ref attention->Heads;
            int allRows = attention->rowsAreHeads ? heads.Group : heads.Sequence;
            int endRow = Math.Min(firstRow + attention->rowsPerItem, allRows);
            int endKey = PositionOf(endRow - 1) + 1;
            for (int firstKey = 0; firstKey < endKey; firstKey += attention->keysPerBlock)
            {
                int keys = Math.Min(attention->keysPerBlock, endKey - firstKey);
                heads.PackTransposed(k + firstKey * attention->KStride, attention->KStride, keys, panels);
                if (heads.Pads)
                {
                    heads.PackPadded(v + firstKey * attention->VStride, attention->VStride, keys, values);
                }

                for (int row = firstRow; row < endRow; row += AttentionHeads.Rows)
                {
                    int rows = Math.Min(AttentionHeads.Rows, endRow - row);
                    int visible = Math.Min(keys, PositionOf(row + rows - 1) + 1 - firstKey);
                    if (visible > 0)
                    {
                        Attend(row, rows, firstKey, visible, firstRow);
                    }
                }
            }

            for (int row = firstRow; row < endRow && logSumExp != null; row++)
            {
                logSumExp[row * logSumExpStride] = state[row - firstRow];
            }
        }

        private readonly int PositionOf(int row) => Attention->Heads.Position + (Attention->rowsAreHeads ? 0 : row);

        /// <summary>A tile of rows against one block of keys, of which the last row sees <paramref name="visible"/>.</summary>
        private readonly void Attend(int row, int rows, int firstKey, int visible, int firstRow)
        {
            ref AttentionHeads heads = ref Attention->Heads;
            int stride = Attention->keysPerBlock;
            int padded = (visible + Tile.Columns - 1) / Tile.Columns * Tile.Columns;
            Tile product = default;
            product.Scale = heads.Scale;
            product.Main = new TileProduct { A = (byte*)(q + row * qStride), ARow = (nint)qStride * sizeof(float), AStep = sizeof(float), BRow = Tile.Columns * sizeof(float), Count = heads.Width };
            product.CStride = stride;
            for (int key = 0; key < padded; key += Tile.Columns)
            {
                product.Main.B = panels + (nint)key * heads.Width;
                product.C = scores + key;
                Tile.Run(&product, rows);
            }

            float* maxima = stackalloc float[AttentionHeads.Rows];
            float* sums = stackalloc float[AttentionHeads.Rows];
            for (int r = 0; r < rows; r++)
            {
                int count = Math.Min(visible, PositionOf(row + r) + 1 - firstKey);
                (maxima[r], sums[r]) = AttentionRows.Softmax(scores + r * stride, count, padded);
            }

            product.Scale = 1;
            product.Main = new TileProduct { A = (byte*)scores, ARow = stride * sizeof(float), AStep = sizeof(float), Count = visible };
            product.Main.BRow = heads.Pads ? heads.PaddedWidth * sizeof(float) : (nint)Attention->VStride * sizeof(float);
            product.CStride = heads.PaddedWidth;
            float* rightHandSide = heads.Pads ? values : v + firstKey * Attention->VStride;
            for (int channel = 0; channel < heads.Width && o != null; channel += Tile.Columns)
            {
                product.Main.B = rightHandSide + channel;
                product.C = tile + channel;
                Tile.Run(&product, rows);
            }

            for (int r = 0; r < rows; r++)
            {
                Merge(row + r, tile + r * heads.PaddedWidth, maxima[r], sums[r], firstKey == 0, state + row + r - firstRow);
            }
        }

        /// <summary>o = the average of what was there and the new part, each weighted by its sum of exponentials.</summary>
        private readonly void Merge(int row, float* part, float maximum, float sum, bool first, float* logSum)
        {
            if (sum == 0)
            {
                return;
            }

            float added = maximum + MathF.Log(sum);
            float total = first ? added : Math.Max(added, *logSum) + MathF.Log(1 + MathF.Exp(-Math.Abs(added - *logSum)));
            float keep = first ? 0 : MathF.Exp(*logSum - total);
            *logSum = total;
            if (o != null)
            {
                AttentionRows.Blend(part, first ? 1 / sum : MathF.Exp(maximum - total), o + row * oStride, keep, Attention->Heads.Width);
            }
        }
    }
}
