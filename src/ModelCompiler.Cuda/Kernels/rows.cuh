// Matrices, and loops over the columns of a row. A kernel that works row by row has one block along x for each row.
#pragma once
#include "types.cuh"

// A row-major matrix: an address, and elements from one row to the next. No matrix where the address is null.
template <class T>
struct Rows
{
    T* data;
    i64 stride;

    DEVICE bool given() const { return data != nullptr; }
    DEVICE T* row(int index) const { return given() ? data + index * stride : nullptr; }
};

// What changes from one micro-step to the next, in the device's memory where a captured graph reads it anew.
struct Step
{
    float lossScale;
    int batch;
    int sequence;
    int position;
    u64 seed;
};

DEVICE int positionOf(const Step* step, int row) { return step->position + row % step->sequence; }

// Whether Width elements can be moved at once from all of these addresses; null is aligned.
template <class... T>
DEVICE bool areAligned(const T*... rows)
{
    return (((u64)rows % ChunkBytes<Width * (int)sizeof(T)> == 0) && ...);
}

// Calls body(count, column) for all columns of a row: Width of them at once where the row is aligned, the rest one by one. Threads of all
// blocks along y share the columns; a thread has the same ones in every such loop over as many columns.
template <class Body>
DEVICE void forColumns(int columns, bool aligned, Body body)
{
    int thread = blockY() * threadCount() + threadIndex();
    int threads = gridY() * threadCount();
    int whole = aligned ? columns / Width * Width : 0;
    for (int c = thread * Width; c < whole; c += threads * Width)
    {
        body(Count<Width>(), c);
    }

    for (int c = whole + thread; c < columns; c += threads)
    {
        body(Count<1>(), c);
    }
}

// What is added to column c on: the elements of a row, or 0 where there is none.
template <int N, class T>
DEVICE Lanes<N> loadOrZero(Count<N> n, const T* row, int c)
{
    return row != nullptr ? load(n, row + c) : each(n, [](int) { return 0.0f; });
}
