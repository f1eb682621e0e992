using ModelCompiler.Planning;

namespace ModelCompiler.Backends.Cpu.Gemm;

/// <summary>
/// C = scale · (A B + bias + H G) + start for matrices of any size. A work item is a group of up to 128 columns and a block of rows. It packs
/// its columns of B, at most 512 deep, into panels that stay in the second-level cache; a tile of 12 rows of A stays in the
/// first-level cache while the panels pass by. Blocks of k lie inside the group, since outermost they would read all of C again.
/// Each element of C is computed by one thread in an order that depends on the shape alone.
/// </summary>
internal unsafe struct MatrixProduct
{
    private const int Depth = 512;
    private const int InPlaceDepth = 128;
    private const int LowRankDepth = 256;
    private const int GroupPanels = 4;
    private const int GroupColumns = GroupPanels * Tile.Columns;

    /// <summary>Below this many multiplications the call stays on its thread.</summary>
    public const long WorthSharing = 1 << 16;

    /// <summary>Rows of A and C.</summary>
    public int Rows;

    /// <summary>Columns of B and C.</summary>
    public int Columns;

    /// <summary>Columns of A and rows of B.</summary>
    public int Count;

    /// <summary>A[0, 0].</summary>
    public byte* A;

    /// <summary>Bytes from A[i, k] to A[i + 1, k].</summary>
    public nint ARow;

    /// <summary>Bytes from A[i, k] to A[i, k + 1].</summary>
    public nint AStep;

    /// <summary>B.</summary>
    public Operand B;

    /// <summary>Whether full panels of B are read where they lie: for few rows. B is then Float32 and not transposed.</summary>
    public bool BInPlace;

    /// <summary>Columns of H and rows of G; 0 for none.</summary>
    public int LowRank;

    /// <summary>H[0, 0], row-major.</summary>
    public float* H;

    /// <summary>Elements from one row of H to the next.</summary>
    public nint HStride;

    /// <summary>G.</summary>
    public Operand G;

    /// <summary>Factor on H G, beside <see cref="Scale"/>.</summary>
    public float LowRankScale;

    /// <summary>One value per column, or null.</summary>
    public byte* Bias;

    /// <summary>Element type of the bias.</summary>
    public DType BiasType;

    /// <summary>What is added at the end, or null; may be C.</summary>
    public float* Start;

    /// <summary>Elements from one row of the start to the next.</summary>
    public nint StartStride;

    /// <summary>The result.</summary>
    public float* C;

    /// <summary>Elements from one row of C to the next.</summary>
    public nint CStride;

    /// <summary>If not null, C is scratch and its transpose is added to this; for at most <see cref="SkinnyProduct.MostColumns"/> rows.</summary>
    public float* TransposedSum;

    /// <summary>Elements from one row of the transposed sum to the next.</summary>
    public nint TransposedStride;

    /// <summary>Factor on everything but the start.</summary>
    public float Scale;

    private int groups;
    private int rowBlocks;
    private byte* workspace;
    private long workspacePerThread;

    /// <summary>Bytes of scratch a thread uses at most.</summary>
    public static long ScratchBytes => sizeof(float) * (GroupColumns * (Depth + LowRankDepth + 1L + SkinnyProduct.MostColumns) + Tile.Rows * Tile.Columns);

    /// <summary>Computes the product on the team.</summary>
    public static void Run(MatrixProduct* product, ThreadTeam team, byte* workspace, long workspacePerThread)
    {
        product->workspace = workspace;
        product->workspacePerThread = workspacePerThread;
        int threads = (long)product->Rows * product->Columns * product->Count < WorthSharing ? 1 : team.Threads;
        int panels = (product->Columns + Tile.Columns - 1) / Tile.Columns;
        int tiles = (product->Rows + Tile.Rows - 1) / Tile.Rows;
        int groups = (panels + GroupPanels - 1) / GroupPanels;
        groups = Math.Min((groups + threads - 1) / threads * threads, panels);
        product->groups = groups;
        product->rowBlocks = threads == 1 || product->TransposedSum != null || groups >= 4 * threads ? 1 : Math.Min((4 * threads + groups - 1) / groups, Math.Max(1, tiles / 2));
        int blocks = groups * product->rowBlocks;
        if (threads > 1)
        {
            team.Run(blocks, &Work, product);
            return;
        }

        for (int block = 0; block < blocks; block++)
        {
            Work(product, block, 0);
        }
    }

    /// <summary>The bias of a column.</summary>
    public readonly float BiasAt(int column) => BiasType == DType.Float32
        ? Float32Element.Read(Bias + column * Float32Element.Size)
        : BFloat16Element.Read(Bias + column * BFloat16Element.Size);

    private static void Work(void* context, int block, int thread)
    {
        var product = (MatrixProduct*)context;
        int panels = (product->Columns + Tile.Columns - 1) / Tile.Columns;
        int tiles = (product->Rows + Tile.Rows - 1) / Tile.Rows;
        int group = block / product->rowBlocks;
        int rowBlock = block % product->rowBlocks;
        var part = new Part
        {
            Product = product,
            FirstColumn = (int)((long)panels * group / product->groups) * Tile.Columns,
            EndColumn = Math.Min((int)((long)panels * (group + 1) / product->groups) * Tile.Columns, product->Columns),
            FirstRow = (int)((long)tiles * rowBlock / product->rowBlocks) * Tile.Rows,
            EndRow = Math.Min((int)((long)tiles * (rowBlock + 1) / product->rowBlocks) * Tile.Rows, product->Rows),
            Panels = (float*)(product->workspace + thread * product->workspacePerThread),
        };
        part.LowRankPanels = part.Panels + GroupColumns * Depth;
        part.BiasValues = part.LowRankPanels + GroupColumns * LowRankDepth;
        part.Edge = part.BiasValues + GroupColumns;
        if (product->TransposedSum == null)
        {
            part.C = product->C;
            part.CStride = product->CStride;
            part.Compute();
            return;
        }

        // Addressed like a whole C, so that the part's columns fall on the start of the scratch.
        part.C = part.Edge + Tile.Rows * Tile.Columns - part.FirstColumn;
        part.CStride = GroupColumns;
        part.Compute();
        part.AddTransposed();
    }

    /// <summary>One work item.</summary>
    private struct Part
    {
        public MatrixProduct* Product;
        public int FirstColumn;
        public int EndColumn;
        public int FirstRow;
        public int EndRow;
        public float* Panels;
        public float* LowRankPanels;
        public float* BiasValues;
        public float* Edge;
        public float* C;
        public nint CStride;
        private bool started;

        public void Compute()
        {
            MatrixProduct* product = Product;
            LoadBias();
            int most = product->BInPlace ? InPlaceDepth : Depth;
            int blocks = (product->Count + most - 1) / most;
            int depth = ((product->Count + blocks - 1) / blocks + 15) / 16 * 16;
            for (int k = 0; k < product->Count; k += depth)
            {
                int count = Math.Min(depth, product->Count - k);
                int lowRank = k + count == product->Count ? Math.Min(product->LowRank, LowRankDepth) : 0;
                Pack(product->B, k, count, Panels, 1, product->BInPlace);
                Pack(product->G, 0, lowRank, LowRankPanels, product->LowRankScale, false);
                var main = new TileProduct { A = product->A + k * product->AStep, ARow = product->ARow, AStep = product->AStep, B = Panels, BRow = Tile.Columns * sizeof(float), Count = count };
                Multiply(main, LowRankTerm(0, lowRank, LowRankPanels), product->BInPlace ? k : -1);
            }

            for (int k = LowRankDepth; k < product->LowRank; k += LowRankDepth)
            {
                int count = Math.Min(LowRankDepth, product->LowRank - k);
                Pack(product->G, k, count, Panels, product->LowRankScale, false);
                Multiply(LowRankTerm(k, count, Panels), default, -1);
            }
        }

        public readonly void AddTransposed()
        {
            for (int n = FirstColumn; n < EndColumn; n++)
            {
                float* sum = Product->TransposedSum + n * Product->TransposedStride;
                for (int row = 0; row < EndRow; row++)
                {
                    sum[row] += C[row * CStride + n];
                }
            }
        }

        private readonly TileProduct LowRankTerm(int k, int count, float* panels) => new()
        {
            A = (byte*)(Product->H + k),
            ARow = Product->HStride * sizeof(float),
            AStep = sizeof(float),
            B = panels,
            BRow = Tile.Columns * sizeof(float),
            Count = count,
        };

        private readonly void LoadBias()
        {
            if (Product->Bias == null)
            {
                return;
            }

            new Span<float>(BiasValues, GroupColumns).Clear();
            for (int n = FirstColumn; n < EndColumn; n++)
            {
                BiasValues[n - FirstColumn] = Product->BiasAt(n);
            }
        }

        private readonly void Pack(in Operand operand, int k, int count, float* panels, float scale, bool edgeOnly)
        {
            for (int n = FirstColumn; n < EndColumn && count > 0; n += Tile.Columns, panels += Tile.Columns * count)
            {
                int columns = Math.Min(Tile.Columns, EndColumn - n);
                if (!edgeOnly || columns < Tile.Columns)
                {
                    operand.Pack(k, count, n, columns, panels, scale);
                }
            }
        }

        /// <summary>Adds one block of k to the part. <paramref name="inPlace"/> is the row of B where the block starts, or -1 when all of it is packed.</summary>
        private void Multiply(TileProduct main, TileProduct lowRank, int inPlace)
        {
            MatrixProduct* product = Product;
            Tile tile;
            tile.Main = main;
            tile.LowRank = lowRank;
            tile.Scale = product->Scale;
            for (int row = FirstRow; row < EndRow; row += Tile.Rows)
            {
                int rows = Math.Min(Tile.Rows, EndRow - row);
                tile.Main.A = main.A + row * main.ARow;
                tile.LowRank.A = lowRank.A + row * lowRank.ARow;
                for (int n = FirstColumn; n < EndColumn; n += Tile.Columns)
                {
                    int offset = n - FirstColumn;
                    int columns = Math.Min(Tile.Columns, EndColumn - n);
                    bool stored = inPlace >= 0 && columns == Tile.Columns;
                    tile.Main.B = stored ? (float*)(product->B.Data + inPlace * product->B.RowBytes) + n : main.B + (nint)offset * main.Count;
                    tile.Main.BRow = stored ? (nint)product->B.RowBytes : main.BRow;
                    tile.LowRank.B = lowRank.B + (nint)offset * lowRank.Count;
                    tile.C = C + row * CStride + n;
                    tile.CStride = CStride;
                    tile.Bias = started || product->Bias == null ? null : BiasValues + offset;
                    tile.Start = started ? tile.C : product->Start == null ? null : product->Start + row * product->StartStride + n;
                    tile.StartStride = started ? CStride : product->StartStride;
                    if (columns == Tile.Columns)
                    {
                        Tile.Run(&tile, rows);
                    }
                    else
                    {
                        RunEdge(&tile, rows, columns);
                    }
                }
            }

            started = true;
        }

        /// <summary>A tile with fewer columns: through a buffer, since micro-kernels write 32.</summary>
        private readonly void RunEdge(Tile* tile, int rows, int columns)
        {
            float* c = tile->C;
            nint stride = tile->CStride;
            for (int i = 0; i < rows && tile->Start != null; i++)
            {
                new ReadOnlySpan<float>(tile->Start + i * tile->StartStride, columns).CopyTo(new Span<float>(Edge + i * Tile.Columns, columns));
            }

            tile->Start = tile->Start == null ? null : Edge;
            tile->StartStride = Tile.Columns;
            tile->C = Edge;
            tile->CStride = Tile.Columns;
            Tile.Run(tile, rows);
            for (int i = 0; i < rows; i++)
            {
                new ReadOnlySpan<float>(Edge + i * Tile.Columns, columns).CopyTo(new Span<float>(c + i * stride, columns));
            }
        }
    }
}
