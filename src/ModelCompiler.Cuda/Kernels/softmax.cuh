// Exponentials of attention scores.
#pragma once
#include "arithmetic.cuh"
#include "tiles.cuh"

// In bf16 by the device's power of two, whose error is far below what rounding the weights adds; in float to a few units in the last place.
#if ACTIVATION_IS_BF16
constexpr float LogBase = 1.44269504f;
DEVICE float power(float x) { return powerOfTwo(x); }
#else
constexpr float LogBase = 1;
DEVICE float power(float x) { return exponential(x); }
#endif

DEVICE float infinity() { return floatOf(0x7F800000u); }

// The scale of scores: power(score · scale) is e^(score / √width).
DEVICE float scoreScale() { return LogBase / squareRoot((float)HEAD_WIDTH); }

// Over the four lanes that have a row.
DEVICE float rowMaximum(float x)
{
    x = greater(x, shuffleXor(x, 1));
    return greater(x, shuffleXor(x, 2));
}

DEVICE float rowSum(float x)
{
    x += shuffleXor(x, 1);
    return x + shuffleXor(x, 2);
}
