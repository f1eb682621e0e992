using ModelCompiler.Backends.Cpu.Gemm;

namespace ModelCompiler.Backends.Cpu;

/// <summary>
/// The gradients of attention (Dao et al. 2022). A work item is one key head with the query heads of its group. Per block of keys, with the transposed
/// keys and values as panels, strips of 96 query rows recompute their probabilities P and get dS = P ∘ (dO vᵀ − D) / √width with
/// D = Σ dO ∘ o; then dv += Pᵀ dO, dk += dSᵀ q, dq += dS k. With fewer heads than threads the work is made twice over smaller
/// items, dq by blocks of rows and dk, dv by blocks of keys, so that every gradient still has one writer.
/// </summary>
internal unsafe struct AttentionBackward
{
    private const int StripRows = 96;
    private const int MostKeys = 256;

    /// <summary>Shapes.</summary>
    public AttentionHeads Heads;

    /// <summary>What is read.</summary>
    public float* DO, Q, K, V, O, LogSumExp;

    /// <summary>What is written; each may be null.</summary>
    public float* DQ, DK, DV;

    /// <summary>Elements from one row to the next.</summary>
    public long DOStride, QStride, KStride, VStride, OStride, LogSumExpStride, DQStride, DKStride, DVStride;

    /// <summary>Scratch of the first thread.</summary>
    public byte* Workspace;

    /// <summary>Bytes from one thread's scratch to the next.</summary>
    public long WorkspacePerThread;

    /// <summary>Bytes of scratch a thread may use; the result depends on it in the last digits, so it comes from the profile.</summary>
    public long ScratchBytes;

    private int keysPerBlock;
    private int rowBlocks;
    private int keyBlocks;

    /// <summary>Runs on the team.</summary>
    public static void Run(AttentionBackward* attention, ThreadTeam team)
    {
        ref AttentionHeads heads = ref attention->Heads;
        int padded = heads.PaddedWidth;
        long fixedFloats = StripRows + AttentionHeads.Rows * padded + (heads.Pads ? 2L * StripRows * padded : 0) + 16 * Tile.Columns;
        int floatsPerKey = 2 * heads.Width + 2 * padded + (heads.Pads ? padded : 0) + 2 * StripRows;
        attention->keysPerBlock = heads.KeysPerBlock(attention->ScratchBytes, fixedFloats, floatsPerKey, MostKeys);
        int items = heads.Batch * heads.KeyValueHeads;
        if (team.Threads == 1 || items % team.Threads == 0 || items >= 2 * team.Threads)
        {
            attention->rowBlocks = 1;
            attention->keyBlocks = 1;
            team.Run(items, &Both, attention);
            return;
        }

        attention->rowBlocks = (heads.Sequence + StripRows - 1) / StripRows;
        attention->keyBlocks = (heads.Sequence + attention->keysPerBlock - 1) / attention->keysPerBlock;
        if (attention->DQ != null)
        {
            team.Run(items * attention->rowBlocks, &Queries, attention);
        }

        if (attention->DK != null || attention->DV != null)
        {
            team.Run(items * attention->keyBlocks, &Keys, attention);
        }
    }

    private static void Both(void* context, int block, int thread)
    {
        var attention = (AttentionBackward*)context;
        var part = new Part(attention, block, thread) { DQ = attention->DQ, DK = attention->DK, DV = attention->DV };
        part.Compute(0, attention->Heads.Sequence, 0, attention->Heads.Sequence);
    }

    private static void Queries(void* context, int block, int thread)
    {
        // The last rows see the most keys: they go first.
        var attention = (AttentionBackward*)context;
        int items = attention->Heads.Batch * attention->Heads.KeyValueHeads;
        int first = (attention->rowBlocks - 1 - block / items) * StripRows;
        int end = Math.Min(first + StripRows, attention->Heads.Sequence);
        var part = new Part(attention, block % items, thread) { DQ = attention->DQ };
        part.Compute(first, end, 0, end);
    }

    private static void Keys(void* context, int block, int thread)
    {
        var attention = (AttentionBackward*)context;
        int items = attention->Heads.Batch * attention->Heads.KeyValueHeads;
        int first = block / items * attention->keysPerBlock;
        int end = Math.Min(first + attention->keysPerBlock, attention->Heads.Sequence);
        var part = new Part(attention, block % items, thread) { DK = attention->DK, DV = attention->DV };
        part.Compute(first, attention->Heads.Sequence, first, end);
    }

    /// <summary>One key head of one sequence, with rows and keys of some range.</summary>
    private struct Part
    {
        public float* DQ, DK, DV;
        private readonly AttentionBackward* attention;
        private readonly int keyHead;
        private readonly long firstRow;
        private readonly float* keyPanels, valuePanels, dk, dv, keys, scores, gradients, queries, outputs, means, tile;

        public Part(AttentionBackward* attention, int item, int thread)
        {
            this.attention = attention;
            ref AttentionHeads heads = ref attention->Heads;
            keyHead = item % heads.KeyValueHeads;
            firstRow = (long)(item / heads.KeyValueHeads) * heads.Sequence;

            int block = attention->keysPerBlock;
            int padded = heads.PaddedWidth;
            keyPanels = (float*)(attention->Workspace + thread * attention->WorkspacePerThread);
            valuePanels = keyPanels + block * heads.Width;
            dk = valuePanels + block * heads.Width;
            dv = dk + block * padded;
            scores = dv + block * padded;
            gradients = scores + StripRows * block;
            means = gradients + StripRows * block;
            tile = means + StripRows;
            keys = tile + AttentionHeads.Rows * padded;
            queries = keys + (heads.Pads ? block * padded : 0);
            outputs = queries + (heads.Pads ? StripRows * padded : 0);
        }

        public readonly void Compute(int beginRow, int endRow, int beginKey, int endKey)
        {
            ref AttentionHeads heads = ref attention->Heads;
            for (int key = beginKey; key < endKey; key += attention->keysPerBlock)
            {
                int count = Math.Min(attention->keysPerBlock, endKey - key);
                float* k = At(attention->K, attention->KStride, key, keyHead);
                heads.PackTransposed(k, attention->KStride, count, keyPanels);
                heads.PackTransposed(At(attention->V, attention->VStride, key, keyHead), attention->VStride, count, valuePanels);
                if (heads.Pads)
                {
                    heads.PackPadded(k, attention->KStride, count, keys);
                }

                new Span<float>(dk, count * heads.PaddedWidth).Clear();
                new Span<float>(dv, count * heads.PaddedWidth).Clear();
                for (int head = keyHead * heads.Group; head < (keyHead + 1) * heads.Group; head++)
                {
                    for (int row = Math.Max(beginRow, key); row < endRow; row += StripRows)
                    {
                        Strip(head, row, Math.Min(StripRows, endRow - row), key, count, key == beginKey);
                    }
                }

                Write(dk, DK, attention->DKStride, key, count);
                Write(dv, DV, attention->DVStride, key, count);
            }
        }

        private readonly float* At(float* x, long stride, int row, int head) => x + (firstRow + row) * stride + head * attention->Heads.Width;

        private readonly void Write(float* source, float* destination, long stride, int key, int count)
        {
            for (int i = 0; i < count && destination != null; i++)
            {
                ref AttentionHeads heads = ref attention->Heads;
                new ReadOnlySpan<float>(source + i * heads.PaddedWidth, heads.Width).CopyTo(new Span<float>(At(destination, stride, key + i, keyHead), heads.Width));
            }
        }

        /// <summary>Rows from <paramref name="row"/> on against the keys of the block; the first row sees the first key.</summary>
        private readonly void Strip(int head, int row, int rows, int key, int count, bool first)
        {
            ref AttentionHeads heads = ref attention->Heads;
            float* q = At(attention->Q, attention->QStride, row, head);
            float* dO = At(attention->DO, attention->DOStride, row, head);
            float* o = At(attention->O, attention->OStride, row, head);
            float* logSumExp = attention->LogSumExp + (firstRow + row) * attention->LogSumExpStride + head;
            for (int r = 0; r < rows; r++)
            {
                means[r] = AttentionRows.Dot(dO + r * attention->DOStride, o + r * attention->OStride, heads.Width);
            }

            for (int r = 0; r < rows; r += AttentionHeads.Rows)
            {
                int tileRows = Math.Min(AttentionHeads.Rows, rows - r);
                int visible = Math.Min(count, row + r + tileRows - key);
                Scores(q, attention->QStride, r, tileRows, visible, keyPanels, scores, heads.Scale);
                Scores(dO, attention->DOStride, r, tileRows, visible, valuePanels, gradients, 1);
                int padded = (visible + Tile.Columns - 1) / Tile.Columns * Tile.Columns;
                for (int i = r; i < r + tileRows; i++)
                {
                    int offset = i * attention->keysPerBlock;
                    AttentionRows.Gradient(
                        scores + offset, gradients + offset, logSumExp[i * attention->LogSumExpStride], means[i], heads.Scale, Math.Min(count, row + i + 1 - key), padded);
                }

                if (DQ != null)
                {
                    QueryGradient(head, row, r, tileRows, key, visible, first);
                }
            }

            if (DV != null)
            {
                KeyGradient(scores, dO, attention->DOStride, outputs, dv, row, rows, key, count);
            }

            if (DK != null)
            {
                KeyGradient(gradients, q, attention->QStride, queries, dk, row, rows, key, count);
            }
        }

        /// <summary>Rows of scale · x · panelsᵀ as far as the last row sees.</summary>
        private readonly void Scores(float* x, long stride, int r, int rows, int visible, float* panels, float* result, float scale)
        {
            Tile product = default;
            product.Scale = scale;
            product.CStride = attention->keysPerBlock;
            product.Main = new TileProduct { A = (byte*)(x + r * stride), ARow = (nint)stride * sizeof(float), AStep = sizeof(float), BRow = Tile.Columns * sizeof(float), Count = attention->Heads.Width };
            for (int key = 0; key < visible; key += Tile.Columns)
            {
                product.Main.B = panels + (nint)key * attention->Heads.Width;
                product.C = result + r * attention->keysPerBlock + key;
                Tile.Run(&product, rows);
            }
        }

        /// <summary>dq (+)= dS k for a tile of rows.</summary>
        private readonly void QueryGradient(int head, int row, int r, int rows, int key, int visible, bool first)
        {
            ref AttentionHeads heads = ref attention->Heads;
            float* k = heads.Pads ? keys : At(attention->K, attention->KStride, key, keyHead);
            Tile product = default;
            product.Scale = 1;
            product.CStride = heads.PaddedWidth;
            product.Main = new TileProduct
            {
                A = (byte*)(gradients + r * attention->keysPerBlock),
                ARow = attention->keysPerBlock * sizeof(float),
                AStep = sizeof(float),
                BRow = (heads.Pads ? heads.PaddedWidth : (nint)attention->KStride) * sizeof(float),
                Count = visible,
            };
            for (int channel = 0; channel < heads.Width; channel += Tile.Columns)
            {
                product.Main.B = k + channel;
                product.C = tile + channel;
                Tile.Run(&product, rows);
            }

            for (int i = 0; i < rows; i++)
            {
                float* dq = At(DQ, attention->DQStride, row + r + i, head);
                AttentionRows.Blend(tile + i * heads.PaddedWidth, 1, dq, first ? 0 : 1, heads.Width);
            }
        }

        /// <summary>gradient += pᵀ x over the strip, twelve keys at a time; rows before a key do not see it.</summary>
        private readonly void KeyGradient(float* p, float* x, long stride, float* padding, float* gradient, int row, int rows, int key, int count)
        {
            ref AttentionHeads heads = ref attention->Heads;
            if (heads.Pads)
            {
                heads.PackPadded(x, stride, rows, padding);
                x = padding;
                stride = heads.PaddedWidth;
            }

            int visible = Math.Min(count, row + rows - key);
            Tile product = default;
            product.Scale = 1;
            product.CStride = product.StartStride = heads.PaddedWidth;
            for (int i = 0; i < visible; i += AttentionHeads.Rows)
            {
                // Strips start whole tiles behind the block's first key; tiles of rows before this one wrote no scores for these keys.
                int skipped = Math.Max(0, key + i - row) / AttentionHeads.Rows * AttentionHeads.Rows;
                product.Main = new TileProduct
                {
                    A = (byte*)(p + skipped * attention->keysPerBlock + i),
                    ARow = sizeof(float),
                    AStep = attention->keysPerBlock * sizeof(float),
                    BRow = (nint)stride * sizeof(float),
                    Count = rows - skipped,
                };
                for (int channel = 0; channel < heads.Width; channel += Tile.Columns)
                {
                    product.Main.B = x + skipped * stride + channel;
                    product.Start = product.C = gradient + i * heads.PaddedWidth + channel;
                    Tile.Run(&product, Math.Min(AttentionHeads.Rows, visible - i));
                }
            }
        }
    }
}
