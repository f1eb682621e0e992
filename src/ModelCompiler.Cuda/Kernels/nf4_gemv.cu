#include "quantized.cuh"
#include "reduce.cuh"

// Elements of 16 bytes of codes, which a lane reads at once; they lie in one block.
constexpr int GroupLength = 32;

// The codebook's value for code i of a word. Sixteen values lie in sixteen banks: lanes that read different ones do not wait for each other.
DEVICE float valueOf(const float* values, u32 word, int i)
{
    int shift = i / 2 * 8 + (i % 2 == 0 ? 4 : 0) - 2;
    u32 bytes = (shift < 0 ? word << -shift : word >> shift) & 60;
    return *(const float*)((const u8*)values + bytes);
}

// sums[t] += the lane's part of Σ_k x[t, k] w[output, k], where rows of the weight consist of whole groups and those of x are aligned to 16
// bytes. An element costs two instructions for its code and a lookup; and for each row a multiplication and, of bf16, what widens it.
template <bool Nested, int T>
DEVICE void addGroups(Lanes<T>& sums, const QuantizedWeight& w, const float* values, const real* const (&x)[T], int output, int depth)
{
    int groups = depth / GroupLength;
    i64 first = (i64)output * groups;
    const Chunk<16>* codes = (const Chunk<16>*)w.codes + first;
    int group = threadIndex() % 32;
    Chunk<16> next = codes[group < groups ? group : 0];
    while (group < groups)
    {
        // The next group is under way while this one is decoded.
        Chunk<16> own = next;
        float absmax = w.factor<Nested>((first + group) * GroupLength >> w.blockLog);
        int k = group * GroupLength;
        group += 32;
        next = codes[group < groups ? group : 0];
        Lanes<T> parts = each(Count<T>(), [](int) { return 0.0f; });
        UNROLL
        for (int i = 0; i < GroupLength; i += Width)
        {
            auto decoded = each(Count<Width>(), [&](int j) { return valueOf(values, own.words[(i + j) / 8], (i + j) % 8); });
            UNROLL
            for (int t = 0; t < T; t++)
            {
                auto input = load(Count<Width>(), x[t] + k + i);
                UNROLL
                for (int j = 0; j < Width; j++)
                {
                    parts[t] = multiplyAdd(decoded[j], input[j], parts[t]);
                }
            }
        }

        UNROLL
        for (int t = 0; t < T; t++)
        {
            sums[t] = multiplyAdd(absmax, parts[t], sums[t]);
        }
    }
}

// The same for any row, one element after the other.
template <bool Nested, int T>
DEVICE void addElements(Lanes<T>& sums, const QuantizedWeight& w, const float* values, const real* const (&x)[T], int output, int depth)
{
    i64 first = (i64)output * depth;
    for (int k = threadIndex() % 32; k < depth; k += 32)
    {
        i64 at = first + k;
        float value = values[w.codes[at / 2] >> (at % 2 == 0 ? 4 : 0) & 15] * w.factor<Nested>(at >> w.blockLog);
        UNROLL
        for (int t = 0; t < T; t++)
        {
            sums[t] = multiplyAdd(value, widen(x[t][k]), sums[t]);
        }
    }
}

template <bool Nested, int T>
DEVICE void addProducts(Lanes<T>& sums, const QuantizedWeight& w, const float* values, const real* const (&x)[T], int output, int depth)
{
    bool aligned = depth % GroupLength == 0;
    UNROLL
    for (int t = 0; t < T; t++)
    {
        aligned &= areAligned(x[t]);
    }

    if (aligned)
    {
        addGroups<Nested>(sums, w, values, x, output, depth);
    }
    else
    {
        addElements<Nested>(sums, w, values, x, output, depth);
    }
}

// y = scale · (x wᵀ + bias) + plus for up to T rows; bias and plus may be none. One warp for each output.
template <int T>
DEVICE void gemv(
    const QuantizedWeight& w, const Rows<const real>& x, const Rows<const weight>& bias, const Rows<const real>& plus, const Rows<real>& y,
    int rows, int outputs, int depth, float scale)
{
    // The codebook lies in sixteen banks, of which lanes that read different values take different ones.
    __shared__ float values[16];
    if (threadIndex() < 16)
    {
        values[threadIndex()] = Codebook[threadIndex()];
    }

    barrier();
    int output = blockX() * (threadCount() / 32) + threadIndex() / 32;
    if (output >= outputs)
    {
        return;
    }

    const real* inputs[T];
    UNROLL
    for (int t = 0; t < T; t++)
    {
        inputs[t] = x.row(t < rows ? t : 0);
    }

    Lanes<T> sums = each(Count<T>(), [](int) { return 0.0f; });
    if (w.nested != nullptr)
    {
        addProducts<true>(sums, w, values, inputs, output, depth);
    }
    else
    {
        addProducts<false>(sums, w, values, inputs, output, depth);
    }

    float shift = bias.given() ? widen(bias.data[output]) : 0;
    UNROLL
    for (int t = 0; t < T; t++)
    {
        float sum = warpSum(sums[t]);
        if (threadIndex() % 32 == t && t < rows)
        {
            narrow(multiplyAdd(scale, sum + shift, plus.given() ? widen(plus.row(t)[output]) : 0), y.row(t) + output);
        }
    }
}

// One row.
KERNEL nf4_gemv_1(
    QuantizedWeight w, Rows<const real> x, Rows<const weight> bias, Rows<const real> plus, Rows<real> y, int rows, int outputs, int depth, float scale)
{
    gemv<1>(w, x, bias, plus, y, rows, outputs, depth, scale);
}

// Up to two.
KERNEL nf4_gemv_2(
    QuantizedWeight w, Rows<const real> x, Rows<const weight> bias, Rows<const real> plus, Rows<real> y, int rows, int outputs, int depth, float scale)
{
    gemv<2>(w, x, bias, plus, y, rows, outputs, depth, scale);
}

// Up to four.
KERNEL nf4_gemv_4(
    QuantizedWeight w, Rows<const real> x, Rows<const weight> bias, Rows<const real> plus, Rows<real> y, int rows, int outputs, int depth, float scale)
{
    gemv<4>(w, x, bias, plus, y, rows, outputs, depth, scale);
}

// Up to eight.
KERNEL nf4_gemv_8(
    QuantizedWeight w, Rows<const real> x, Rows<const weight> bias, Rows<const real> plus, Rows<real> y, int rows, int outputs, int depth, float scale)
{
    gemv<8>(w, x, bias, plus, y, rows, outputs, depth, scale);
}
