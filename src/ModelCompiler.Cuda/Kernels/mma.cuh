// Instructions of compute capability 8.0 that have no name in CUDA C without headers, as PTX.
//
// Fragments of mma.m16n8k16, by the PTX ISA ("Matrix fragments for mma.m16n8k16 with floating point type"). With g = lane / 4 and t = lane % 4,
// a register of A and B has two neighboring elements, the first of them in its lower half:
//   A, 16 x 16: a[0] row g, columns 2t and 2t + 1; a[1] row g + 8; a[2] row g, columns 2t + 8 and 2t + 9; a[3] row g + 8 of these.
//   B, 16 x 8:  b0 rows 2t and 2t + 1 of column g; b1 rows 2t + 8 and 2t + 9 of it.
//   D, 16 x 8:  d[0], d[1] row g, columns 2t and 2t + 1; d[2], d[3] row g + 8 of these.
#pragma once
#include "device.cuh"

// d += a b for bf16 a and b. All lanes of the warp together.
DEVICE void multiplyMatrices(float (&d)[4], const u32 (&a)[4], u32 b0, u32 b1)
{
    asm("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
        : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}

// An address in shared memory, to which bytes are added.
typedef u32 SharedAddress;

DEVICE SharedAddress sharedAddress(const void* pointer)
{
    SharedAddress address;
    asm("{ .reg .u64 wide; cvta.to.shared.u64 wide, %1; cvt.u32.u64 %0, wide; }" : "=r"(address) : "l"(pointer));
    return address;
}

// Four 8 x 8 matrices of 16-bit elements from shared memory; lane i says where row i % 8 of matrix i / 8 starts. A lane gets of matrix m, in
// words[m], elements 2t and 2t + 1 of row g.
DEVICE void loadMatrices(u32 (&words)[4], SharedAddress row)
{
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(words[0]), "=r"(words[1]), "=r"(words[2]), "=r"(words[3])
                 : "r"(row)
                 : "memory");
}

// The same, transposed: elements 2t and 2t + 1 of column g.
DEVICE void loadMatricesTransposed(u32 (&words)[4], SharedAddress row)
{
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(words[0]), "=r"(words[1]), "=r"(words[2]), "=r"(words[3])
                 : "r"(row)
                 : "memory");
}

// 16 bytes from global to shared memory, zeros where they are not inside; there when the thread has waited and the block has met.
DEVICE void copyAsync(SharedAddress target, const void* source, bool inside)
{
    int bytes = inside ? 16 : 0;
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" : : "r"(target), "l"(source), "r"(bytes) : "memory");
}

// Waits for all copies of this thread.
DEVICE void waitForCopies()
{
    asm volatile("cp.async.wait_all;" : : : "memory");
}

// 2^x with an error of two units in the last place; 0 where it would not be normal.
DEVICE float powerOfTwo(float x)
{
    float power;
    asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(power) : "f"(x));
    return power;
}
