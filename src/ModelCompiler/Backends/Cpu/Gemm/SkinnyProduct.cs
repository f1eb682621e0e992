namespace ModelCompiler.Backends.Cpu.Gemm;

/// <summary>
/// C = scale · (A B + bias) + start where B has at most 24 columns (low-rank projections), or A at most 8 rows and B lies as rows
/// (a generated token). The columns of B lie one after the other in memory that all threads share; a block of the sum at a time.
/// </summary>
internal unsafe struct SkinnyProduct
{
    /// <summary>B may have this many columns.</summary>
    public const int MostColumns = 24;

    /// <summary>Or A this many rows.</summary>
    public const int MostRows = 8;

    private const int TokensPerBlock = 96;
    private const int ColumnsPerBlock = 128;

    /// <summary>Depth of the packed columns: all of them stay in the first-level cache beside a few rows of A.</summary>
    private const int Depth = 1024;

    /// <summary>Packed columns start this far apart: not a power of two.</summary>
    private const int PackedStride = Depth + 16;

    private MatrixProduct* product;
    private float* packed;
    private byte* workspace;
    private long workspacePerThread;
    private int k;
    private int count;

    /// <summary>Bytes of scratch a thread uses at most.</summary>
    public static long ScratchBytes => sizeof(float) * 32L * PackedStride;

    /// <summary>Whether the product has one of the shapes.</summary>
    public static bool Fits(in MatrixProduct product) =>
        product.LowRank == 0 && product.AStep == sizeof(float)
        && (product.Columns <= MostColumns || (product.Rows <= MostRows && product.B.Transposed));

    /// <summary>Computes the product on the team.</summary>
    public static void Run(MatrixProduct* product, ThreadTeam team, byte* workspace, long workspacePerThread)
    {
        var skinny = new SkinnyProduct { product = product, packed = (float*)workspace, workspace = workspace, workspacePerThread = workspacePerThread };
        bool share = (long)product->Rows * product->Columns * product->Count >= MatrixProduct.WorthSharing;
        if (product->Columns > MostColumns)
        {
            skinny.count = product->Count;
            Share(&skinny, (product->Columns + ColumnsPerBlock - 1) / ColumnsPerBlock, &FewRows, share ? team : null);
            return;
        }

        int blocks = (product->Rows + TokensPerBlock - 1) / TokensPerBlock;
        for (; skinny.k < product->Count; skinny.k += skinny.count)
        {
            skinny.count = Math.Min(Depth, product->Count - skinny.k);
            product->B.PackColumns(skinny.k, skinny.count, 0, product->Columns, skinny.packed, PackedStride);
            Share(&skinny, blocks, &FewColumns, share ? team : null);
        }
    }

    private static void Share(SkinnyProduct* skinny, int blocks, delegate*<void*, int, int, void> work, ThreadTeam? team)
    {
        if (team != null)
        {
            team.Run(blocks, work, skinny);
            return;
        }

        for (int block = 0; block < blocks; block++)
        {
            work(skinny, block, 0);
        }
    }

    /// <summary>A block of rows of A with all columns.</summary>
    private static void FewColumns(void* context, int block, int thread)
    {
        var skinny = (SkinnyProduct*)context;
        int end = Math.Min((block + 1) * TokensPerBlock, skinny->product->Rows);
        for (int token = block * TokensPerBlock; token < end; token += DotKernel.Tokens)
        {
            for (int n = 0; n < skinny->product->Columns; n += DotKernel.Rows)
            {
                skinny->Multiply(token, end, n, skinny->packed + n * PackedStride, PackedStride);
            }
        }
    }

    /// <summary>All rows of A with a block of columns, which are read once where they lie when they can be.</summary>
    private static void FewRows(void* context, int block, int thread)
    {
        var skinny = (SkinnyProduct*)context;
        MatrixProduct* product = skinny->product;
        float* packed = (float*)(skinny->workspace + thread * skinny->workspacePerThread);
        int end = Math.Min((block + 1) * ColumnsPerBlock, product->Columns);
        for (int n = block * ColumnsPerBlock; n < end; n += DotKernel.Rows)
        {
            if (product->B.Type == Planning.DType.Float32 && n + DotKernel.Rows <= product->Columns)
            {
                SkinnyProduct whole = *skinny;
                whole.MultiplyAllRows(n, (float*)(product->B.Data + n * product->B.RowBytes), (nint)product->B.RowBytes / sizeof(float));
                continue;
            }

            SkinnyProduct part = *skinny;
            for (; part.k < product->Count; part.k += part.count)
            {
                part.count = Math.Min(Depth, product->Count - part.k);
                product->B.PackColumns(part.k, part.count, n, Math.Min(DotKernel.Rows, product->Columns - n), packed, PackedStride);
                part.MultiplyAllRows(n, packed, PackedStride);
            }
        }
    }

    private readonly void MultiplyAllRows(int n, float* columns, nint stride)
    {
        for (int token = 0; token < product->Rows; token += DotKernel.Tokens)
        {
            Multiply(token, product->Rows, n, columns, stride);
        }
    }

    /// <summary>Three rows of A with eight columns, of which those exist that lie inside the product.</summary>
    private readonly void Multiply(int token, int endToken, int n, float* columns, nint stride)
    {
        float* sums = stackalloc float[DotKernel.Tokens * DotKernel.Rows];
        new Span<float>(sums, DotKernel.Tokens * DotKernel.Rows).Clear();
        byte* a = product->A + k * sizeof(float);
        int last = endToken - 1;
        DotKernel.Run(
            (float*)(a + token * product->ARow), (float*)(a + Math.Min(token + 1, last) * product->ARow), (float*)(a + Math.Min(token + 2, last) * product->ARow),
            columns, stride, count, sums);
        for (int t = 0; t < DotKernel.Tokens && token + t < endToken; t++)
        {
            float* c = product->C + (token + t) * product->CStride + n;
            float* start = k > 0 ? c : product->Start == null ? null : product->Start + (token + t) * product->StartStride + n;
            for (int j = 0; j < DotKernel.Rows && n + j < product->Columns; j++)
            {
                float bias = k > 0 || product->Bias == null ? 0 : product->BiasAt(n + j);
                c[j] = product->Scale * (sums[t * DotKernel.Rows + j] + bias) + (start == null ? 0 : start[j]);
            }
        }
    }
}
