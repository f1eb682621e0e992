// What a compiler gives a kernel: NVRTC has CUDA's names built in, clang its own. No header of CUDA's is needed for either.
#pragma once

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef long long i64;

#ifndef __CUDACC_RTC__
#define __global__ __attribute__((global))
#define __device__ __attribute__((device))
#define __shared__ __attribute__((shared))
#define __launch_bounds__(threads) __attribute__((launch_bounds(threads)))
#define __forceinline__ inline __attribute__((always_inline))
#endif

// A call would put arrays of lanes into memory.
#define DEVICE __device__ __forceinline__

// Before a loop over registers, which have no addresses.
#define UNROLL _Pragma("unroll")

// Most threads of a block. Blocks have whole warps.
#define MAXIMUM_THREADS 256
#define KERNEL extern "C" __global__ void __launch_bounds__(MAXIMUM_THREADS)

#ifdef __CUDACC_RTC__

DEVICE int threadIndex() { return threadIdx.x; }
DEVICE int threadCount() { return blockDim.x; }
DEVICE int blockX() { return blockIdx.x; }
DEVICE int blockY() { return blockIdx.y; }
DEVICE int gridX() { return gridDim.x; }
DEVICE int gridY() { return gridDim.y; }
DEVICE void barrier() { __syncthreads(); }
DEVICE u32 shuffleXor(u32 value, int lanes) { return __shfl_xor_sync(0xFFFFFFFFu, value, lanes); }
DEVICE u32 shuffleFrom(u32 value, int lane) { return __shfl_sync(0xFFFFFFFFu, value, lane); }
DEVICE u32 votes(bool own) { return __ballot_sync(0xFFFFFFFFu, own); }
DEVICE u32 bitsOf(float x) { return __float_as_uint(x); }
DEVICE float floatOf(u32 bits) { return __uint_as_float(bits); }
DEVICE u64 bitsOf(double x) { return (u64)__double_as_longlong(x); }
DEVICE double doubleOf(u64 bits) { return __longlong_as_double((i64)bits); }
DEVICE int lowestBit(u32 bits) { return __ffs((int)bits) - 1; }
DEVICE float multiplyAdd(float a, float b, float c) { return __fmaf_rn(a, b, c); }
DEVICE float squareRoot(float x) { return __fsqrt_rn(x); }
DEVICE float nearestInteger(float x) { return rintf(x); }
DEVICE float greater(float a, float b) { return fmaxf(a, b); }

#else

DEVICE int threadIndex() { return __nvvm_read_ptx_sreg_tid_x(); }
DEVICE int threadCount() { return __nvvm_read_ptx_sreg_ntid_x(); }
DEVICE int blockX() { return __nvvm_read_ptx_sreg_ctaid_x(); }
DEVICE int blockY() { return __nvvm_read_ptx_sreg_ctaid_y(); }
DEVICE int gridX() { return __nvvm_read_ptx_sreg_nctaid_x(); }
DEVICE int gridY() { return __nvvm_read_ptx_sreg_nctaid_y(); }
DEVICE void barrier() { __syncthreads(); }
DEVICE u32 shuffleXor(u32 value, int lanes) { return (u32)__nvvm_shfl_sync_bfly_i32(0xFFFFFFFFu, (int)value, lanes, 31); }
DEVICE u32 shuffleFrom(u32 value, int lane) { return (u32)__nvvm_shfl_sync_idx_i32(0xFFFFFFFFu, (int)value, lane, 31); }
DEVICE u32 votes(bool own) { return __nvvm_vote_ballot_sync(0xFFFFFFFFu, own); }
DEVICE u32 bitsOf(float x) { return __builtin_bit_cast(u32, x); }
DEVICE float floatOf(u32 bits) { return __builtin_bit_cast(float, bits); }
DEVICE u64 bitsOf(double x) { return __builtin_bit_cast(u64, x); }
DEVICE double doubleOf(u64 bits) { return __builtin_bit_cast(double, bits); }
DEVICE int lowestBit(u32 bits) { return __builtin_ctz(bits); }
DEVICE float multiplyAdd(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
DEVICE float squareRoot(float x) { return __builtin_sqrtf(x); }
DEVICE float nearestInteger(float x) { return __builtin_rintf(x); }
DEVICE float greater(float a, float b) { return __builtin_fmaxf(a, b); }

#endif

// Two floats as bf16, to the nearest, ties to even: the first in the lower half.
DEVICE u32 packPair(float low, float high)
{
    u32 pair;
    asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(pair) : "f"(high), "f"(low));
    return pair;
}
