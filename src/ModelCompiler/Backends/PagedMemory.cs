using ModelCompiler.Tensors;

namespace ModelCompiler.Backends;

/// <summary>Paged memory of a backend whose arena is host memory too: a copy is done when its call returns.</summary>
internal sealed unsafe class PagedMemory : IDisposable
{
    private NativeArena? memory;

    public long Bytes => memory?.Bytes ?? 0;

    public void Allocate(long bytes, int alignment) =>
        memory = memory is null ? new NativeArena(bytes, alignment) : throw new InvalidOperationException("There is paged memory already.");

    public void In(long source, NativeArena arena, Tensor destination) => new Span<byte>(At(source, destination), Size(destination)).CopyTo(
        new Span<byte>(arena.At(destination), Size(destination)));

    public void Out(NativeArena arena, Tensor source, long destination) => new Span<byte>(arena.At(source), Size(source)).CopyTo(
        new Span<byte>(At(destination, source), Size(source)));

    public void Dispose()
    {
        memory?.Dispose();
        memory = null;
    }

    private static int Size(Tensor page) => checked((int)(page.End - page.Offset));

    private byte* At(long offset, Tensor page)
    {
        NativeArena pages = memory ?? throw new InvalidOperationException("There is no paged memory: call AllocatePaged first.");
        return page.Stride == page.Columns
            ? pages.At(page with { Offset = offset })
            : throw new ArgumentException($"{page} has gaps between its rows; a page has none.");
    }
}
