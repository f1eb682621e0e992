namespace ModelCompiler.Cuda.Native;

/// <summary>How many blocks a kernel runs in and how many threads each has.</summary>
/// <param name="GridX">Blocks along x, up to 2³¹ − 1.</param>
/// <param name="GridY">Blocks along y, up to 65,535.</param>
/// <param name="GridZ">Blocks along z, up to 65,535.</param>
/// <param name="BlockX">Threads of a block along x.</param>
/// <param name="BlockY">Threads of a block along y.</param>
/// <param name="BlockZ">Threads of a block along z; together at most 1,024.</param>
/// <param name="SharedBytes">Shared memory of a block beside what the kernel declares.</param>
public readonly record struct LaunchGeometry(
    int GridX, int GridY = 1, int GridZ = 1, int BlockX = 1, int BlockY = 1, int BlockZ = 1, int SharedBytes = 0)
{
    /// <summary>Most threads of a block.</summary>
    public const int MaximumThreads = 1024;

    private const int MaximumGrid = 65_535;

    /// <summary>The limits of every device there is; the driver's own message would not say which is exceeded.</summary>
    /// <exception cref="ArgumentException">The geometry is outside them.</exception>
    internal void Require()
    {
        bool positive = GridX > 0 && GridY > 0 && GridZ > 0 && BlockX > 0 && BlockY > 0 && BlockZ > 0 && SharedBytes >= 0;
        if (!positive || GridY > MaximumGrid || GridZ > MaximumGrid || (long)BlockX * BlockY * BlockZ > MaximumThreads)
        {
            throw new ArgumentException(
                $"A grid of {GridX} x {GridY} x {GridZ} blocks of {BlockX} x {BlockY} x {BlockZ} threads cannot be launched: counts are at least 1, y and z of the grid at most {MaximumGrid}, threads of a block at most {MaximumThreads}.");
        }
    }
}
