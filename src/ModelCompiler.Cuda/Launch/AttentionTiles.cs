using ModelCompiler.Planning;

namespace ModelCompiler.Cuda.Launch;

/// <summary>
/// The blocks of attention's kernels, by the arithmetic of tiles.cuh, attention.cuh and attention_gradient.cu: a warp has 16 rows of a
/// product, or 32 where registers allow; a block up to four warps, as many as its own tile's bytes allow.
/// </summary>
/// <param name="Rows">Queries, or keys, of a block.</param>
/// <param name="Threads">Threads of a block.</param>
internal readonly record struct AttentionTiles(int Rows, int Threads)
{
    /// <summary>The widest head that kernels are made for.</summary>
    public const int MaximumWidth = 256;

    private const int ForwardBytes = 32 << 10;
    private const int GradientBytes = 16 << 10;
    private const int PieceBytes = 16;
    private const int WarpSize = 32;
    private const int TileRows = 16;
    private const int MaximumWarps = 4;

    /// <summary>Blocks of queries.</summary>
    public static AttentionTiles Forward(DType activation, int headWidth) => Of(activation, headWidth, ForwardBytes, widestPair: 128);

    /// <summary>Blocks of queries for their gradients, and of keys for theirs.</summary>
    public static AttentionTiles Gradient(DType activation, int headWidth) => Of(activation, headWidth, GradientBytes, widestPair: 0);

    /// <summary>Tiles along a sequence.</summary>
    public int Count(int sequence) => (sequence + Rows - 1) / Rows;

    private static AttentionTiles Of(DType activation, int headWidth, int bytes, int widestPair)
    {
        bool isHalf = activation == DType.BFloat16;
        int depth = isHalf ? 16 : 8;
        int columns = (headWidth + depth - 1) / depth * depth;
        int pieces = columns * activation.Size() / PieceBytes;
        int rowBytes = (pieces % 8 == 0 ? pieces : pieces | 1) * PieceBytes;
        int warpRows = TileRows * (isHalf && columns <= widestPair ? 2 : 1);
        int warps = Math.Min(MaximumWarps, bytes / (warpRows * rowBytes));
        return new AttentionTiles(warps * warpRows, warps * WarpSize);
    }
}
