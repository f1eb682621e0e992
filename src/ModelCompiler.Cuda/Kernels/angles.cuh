// Sines and cosines.
#pragma once
#include "device.cuh"

// Most pairs of channels that one head rotates.
#define MAXIMUM_ROTARY 512

// Reduces the angle by quarters of a turn in double, where positions times frequencies are exact to 1e-12, and takes the polynomials of the
// rest in float: |r| is at most π/4, and the first term left out below 2^-26 of the result.
DEVICE void sineAndCosine(double angle, float* sine, float* cosine)
{
    // Adding and taking off 1.5 · 2^52 leaves the nearest integer.
    double turns = angle * 0.63661977236758134308;
    double quarters = (turns + 6755399441055744.0) - 6755399441055744.0;
    float r = (float)((turns - quarters) * 1.57079632679489661923);
    float s = r * r;
    float odd = r + r * s * (-0.16666666666f + s * (0.00833333333f + s * (-0.000198412698f + s * 2.75573192e-6f)));
    float even = 1 + s * (-0.5f + s * (0.0416666667f + s * (-0.00138888889f + s * (2.48015873e-5f - s * 2.75573192e-7f))));
    i64 quadrant = (i64)quarters & 3;
    float first = quadrant % 2 == 0 ? odd : even;
    float second = quadrant % 2 == 0 ? even : odd;
    *sine = quadrant < 2 ? first : -first;
    *cosine = quadrant == 0 || quadrant == 3 ? second : -second;
}
