// Elementary functions in float with errors of a few units in the last place, the same bits wherever they are compiled. The coefficients
// are those of the Cephes library (Moshier).
#pragma once
#include "device.cuh"

DEVICE float magnitude(float x) { return x < 0 ? -x : x; }

// e^x; 0 below -104, infinite above 89.
DEVICE float exponential(float x)
{
    if (x < -104.0f)
    {
        return 0;
    }

    if (x > 89.0f)
    {
        return floatOf(0x7F800000u);
    }

    float n = nearestInteger(x * 1.44269504f);
    float r = multiplyAdd(n, -0.693359375f, x);
    r = multiplyAdd(n, 2.12194440e-4f, r);
    float p = 1.9875691500e-4f;
    p = multiplyAdd(p, r, 1.3981999507e-3f);
    p = multiplyAdd(p, r, 8.3334519073e-3f);
    p = multiplyAdd(p, r, 4.1665795894e-2f);
    p = multiplyAdd(p, r, 1.6666665459e-1f);
    p = multiplyAdd(p, r, 5.0000001201e-1f);
    p = multiplyAdd(p, r * r, r) + 1;

    // Two factors: one alone could not be a power below the normal ones.
    int power = (int)n;
    int half = power / 2;
    return p * floatOf((u32)(half + 127) << 23) * floatOf((u32)(power - half + 127) << 23);
}

// The natural logarithm of a positive normal number.
DEVICE float logarithm(float x)
{
    u32 bits = bitsOf(x);
    float power = (float)((int)(bits >> 23) - 126);
    float m = floatOf((bits & 0x7FFFFFu) | 0x3F000000u);
    bool low = m < 0.707106781f;
    power -= low ? 1 : 0;
    m = (low ? m + m : m) - 1;
    float z = m * m;
    float p = 7.0376836292e-2f;
    p = multiplyAdd(p, m, -1.1514610310e-1f);
    p = multiplyAdd(p, m, 1.1676998740e-1f);
    p = multiplyAdd(p, m, -1.2420140846e-1f);
    p = multiplyAdd(p, m, 1.4249322787e-1f);
    p = multiplyAdd(p, m, -1.6668057665e-1f);
    p = multiplyAdd(p, m, 2.0000714765e-1f);
    p = multiplyAdd(p, m, -2.4999993993e-1f);
    p = multiplyAdd(p, m, 3.3333331174e-1f);
    p = p * m * z;
    p = multiplyAdd(power, -2.12194440e-4f, p);
    p = multiplyAdd(z, -0.5f, p);
    return multiplyAdd(power, 0.693359375f, m + p);
}

DEVICE float hyperbolicTangent(float x)
{
    float size = magnitude(x);
    if (size >= 0.625f)
    {
        float t = 1 - 2 / (exponential(size + size) + 1);
        return x < 0 ? -t : t;
    }

    float z = x * x;
    float p = -5.70498872745e-3f;
    p = multiplyAdd(p, z, 2.06390887954e-2f);
    p = multiplyAdd(p, z, -5.37397155531e-2f);
    p = multiplyAdd(p, z, 1.33314422036e-1f);
    p = multiplyAdd(p, z, -3.33332819422e-1f);
    return multiplyAdd(p * z, x, x);
}

DEVICE float sigmoid(float x) { return 1 / (1 + exponential(-x)); }
