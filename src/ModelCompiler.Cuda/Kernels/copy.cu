#include "rows.cuh"

template <class From, class To>
DEVICE void convertRow(const From* from, To* to, int columns)
{
    forColumns(columns, areAligned(from) && areAligned(to), [&](auto n, int c) { store(to + c, load(n, from + c)); });
}

// Moves units of some bytes and gives their number in bytes.
template <int Bytes>
DEVICE i64 copyUnits(const u8* from, u8* to, i64 bytes, i64 thread, i64 threads)
{
    i64 units = bytes / Bytes;
    for (i64 i = thread; i < units; i += threads)
    {
        ((Chunk<Bytes>*)to)[i] = ((const Chunk<Bytes>*)from)[i];
    }

    return units * Bytes;
}

// Rows of bytes as they are; strides in bytes.
KERNEL copy(Rows<const u8> source, Rows<u8> destination, i64 bytes)
{
    const u8* from = source.row(blockX());
    u8* to = destination.row(blockX());
    i64 thread = (i64)blockY() * threadCount() + threadIndex();
    i64 threads = (i64)gridY() * threadCount();
    u64 together = (u64)from | (u64)to;
    i64 done = together % 16 == 0 ? copyUnits<16>(from, to, bytes, thread, threads)
        : together % 4 == 0       ? copyUnits<4>(from, to, bytes, thread, threads)
                                  : 0;
    for (i64 i = done + thread; i < bytes; i += threads)
    {
        to[i] = from[i];
    }
}

// Float32 to the nearest bfloat16, ties to even.
KERNEL copy_narrow(Rows<const float> source, Rows<bf16> destination, int columns)
{
    convertRow(source.row(blockX()), destination.row(blockX()), columns);
}

// bfloat16 to Float32.
KERNEL copy_widen(Rows<const bf16> source, Rows<float> destination, int columns)
{
    convertRow(source.row(blockX()), destination.row(blockX()), columns);
}
