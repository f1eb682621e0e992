// Activation functions with their derivatives, and gated units made of them.
#pragma once
#include "arithmetic.cuh"
#include "rows.cuh"

// A function's value and derivative at a point, which share their one costly part.
struct Activation
{
    float value;
    float slope;
};

struct Silu
{
    DEVICE static Activation at(float x)
    {
        float s = sigmoid(x);
        return {x * s, s * (1 + x * (1 - s))};
    }
};

// The tanh form (Hendrycks and Gimpel 2016): ½ x (1 + tanh(√(2/π) (x + 0.044715 x³))).
struct Gelu
{
    DEVICE static Activation at(float x)
    {
        constexpr float Root = 0.797884561f;
        constexpr float Cubic = 0.044715f;
        float t = hyperbolicTangent(Root * (x + Cubic * x * x * x));
        return {0.5f * x * (1 + t), 0.5f * (1 + t) + 0.5f * x * (1 - t * t) * Root * (1 + 3 * Cubic * x * x)};
    }
};

// h = f(gate) · up.
template <class F>
DEVICE void gatedUnit(const real* gate, const real* up, real* h, int columns)
{
    forColumns(columns, areAligned(gate, up, h), [&](auto n, int c) {
        auto g = load(n, gate + c);
        auto u = load(n, up + c);
        store(h + c, each(n, [&](int i) { return F::at(g[i]).value * u[i]; }));
    });
}

// dGate, dUp and h again; each may be none and may lie over an input, so everything is read before anything is written.
template <class F>
DEVICE void gatedUnitGradient(const real* dh, const real* gate, const real* up, real* dGate, real* dUp, real* h, int columns)
{
    forColumns(columns, areAligned(dh, gate, up, dGate, dUp, h), [&](auto n, int c) {
        auto d = load(n, dh + c);
        auto g = load(n, gate + c);
        auto u = load(n, up + c);
        Lanes<decltype(n)::Value> value;
        Lanes<decltype(n)::Value> slope;
        for (int i = 0; i < decltype(n)::Value; i++)
        {
            Activation f = F::at(g[i]);
            value[i] = f.value;
            slope[i] = f.slope;
        }

        if (dGate != nullptr)
        {
            store(dGate + c, each(n, [&](int i) { return d[i] * u[i] * slope[i]; }));
        }

        if (dUp != nullptr)
        {
            store(dUp + c, each(n, [&](int i) { return d[i] * value[i]; }));
        }

        if (h != nullptr)
        {
            store(h + c, each(n, [&](int i) { return value[i] * u[i]; }));
        }
    });
}
