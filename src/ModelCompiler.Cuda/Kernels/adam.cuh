// The formula of Adam with its scalars multiplied out by the host, so that an element takes one division and one root.
#pragma once
#include "device.cuh"

// In the device's memory, where a captured graph reads it anew: β1, β2; (1 − β1) s, (1 − β2) s² with the gradient's scale s; the rate over
// 1 − β1^t; 1 / √(1 − β2^t); ε; and rate · decay. AdamE: rate · decay and rate · lasso, taken after the step.
struct AdamScalars
{
    float beta1, beta2, scaleOfFirst, scaleOfSecond, rate, root, epsilon, decay, lasso;

    DEVICE float first(float m, float g) const { return multiplyAdd(m, beta1, g * scaleOfFirst); }

    DEVICE float second(float v, float g) const { return multiplyAdd(v, beta2, g * scaleOfSecond * g); }

    // What Adam takes off a weight, without decay.
    DEVICE float update(float m, float v) const { return m * rate / multiplyAdd(squareRoot(v), root, epsilon); }
};
