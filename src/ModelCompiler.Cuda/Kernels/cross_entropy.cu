#include "arithmetic.cuh"
#include "reduce.cuh"
#include "rows.cuh"

// logSumExp[t] of each row of logits, which is read once: every thread keeps its maximum and the sum of exponentials below it.
KERNEL cross_entropy_rows(Rows<const real> logits, Rows<float> logSumExp, int columns)
{
    const real* row = logits.row(blockX());
    float maximum = floatOf(0xFF800000u);
    float sum = 0;
    forColumns(columns, areAligned(row), [&](auto n, int c) {
        auto value = load(n, row + c);
        float highest = maximum;
        for (int i = 0; i < decltype(n)::Value; i++)
        {
            highest = value[i] > highest ? value[i] : highest;
        }

        sum *= highest > maximum ? exponential(maximum - highest) : 1;
        maximum = highest;
        for (int i = 0; i < decltype(n)::Value; i++)
        {
            sum += exponential(value[i] - maximum);
        }
    });
    float highest = blockMaximum(maximum);

    // A thread without columns has no maximum and no sum.
    float total = blockSum(sum > 0 ? sum * exponential(maximum - highest) : sum);
    if (threadIndex() == 0)
    {
        *logSumExp.row(blockX()) = highest + logarithm(total);
    }
}

// loss[0] += Σ_t weights[t] · (logSumExp[t] − logits[t, target]) over rows with a target; without weights each counts 1. One block.
KERNEL cross_entropy_loss(
    Rows<const real> logits, Rows<const int> targets, Rows<const float> logSumExp, Rows<const float> weights, float* loss, int rows)
{
    double sum = 0;
    for (int t = threadIndex(); t < rows; t += threadCount())
    {
        int target = *targets.row(t);
        double weight = weights.given() ? *weights.row(t) : 1;
        sum += target >= 0 ? weight * ((double)*logSumExp.row(t) - widen(logits.row(t)[target])) : 0;
    }

    sum = blockSum(sum);
    if (threadIndex() == 0)
    {
        *loss = (float)(*loss + sum);
    }
}

// dLogits = lossScale · weights · (softmax(logits) − onehot(target)), 0 for rows without a target. In place over logits.
KERNEL cross_entropy_gradient(
    Rows<const real> logits, Rows<const int> targets, Rows<const float> logSumExp, Rows<const float> weights, Rows<real> dLogits, const Step* step, int columns)
{
    const real* row = logits.row(blockX());
    real* to = dLogits.row(blockX());
    int target = *targets.row(blockX());
    float normalizer = *logSumExp.row(blockX());
    float scale = weights.given() ? step->lossScale * *weights.row(blockX()) : step->lossScale;
    forColumns(columns, areAligned(row, to), [&](auto n, int c) {
        auto value = load(n, row + c);
        store(to + c, each(n, [&](int i) {
            return target < 0 ? 0 : scale * (exponential(value[i] - normalizer) - (c + i == target ? 1 : 0));
        }));
    });
}
