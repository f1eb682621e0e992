using ModelCompiler.Operations;
using ModelCompiler.Planning;
using ModelCompiler.Tensors;

namespace ModelCompiler.Backends;

/// <summary>
/// One method per row of the operation catalog, over handles into one arena. The kernel contract:
/// <list type="bullet">
/// <item>methods may return before the work is done; only the Read methods wait;</item>
/// <item><c>plus</c> (the C of D = scale · f(...) + C) may be the same handle as the output; where a method's remarks say that
/// it works in place, the named input may be the same handle as the output; nothing else aliases;</item>
/// <item>any output may be <see cref="Tensor.None"/>: the kernel skips that work;</item>
/// <item>gradients of parameters accumulate (+=), gradients of activations overwrite (=);</item>
/// <item>a weight may be <see cref="DType.BFloat16"/>, that of a linear operation quantized (<see cref="DTypeExtensions.IsQuantized"/>); everything else has the profile's compute type, ids are
/// <see cref="DType.Int32"/>, codes <see cref="DType.UInt8"/>; sums over many elements are made in an order that depends only on shapes and threads.</item>
/// </list>
/// The marks of a parameter (<see cref="ActivationAttribute"/>, <see cref="WrittenAttribute"/>, <see cref="AccumulatedAttribute"/>, <see cref="GatheredAttribute"/>)
/// say how the kernel uses it; the backends that only hand calls on or count them are generated from them.
/// T is the number of token rows (batch · sequence, sequences one after the other), [rows, columns] shapes are given per argument.
/// </summary>
public partial interface IBackend : IDisposable
{
    /// <summary>What the backend needs of memory.</summary>
    BackendProfile Profile { get; }

    /// <summary>Bytes of the arena; 0 before <see cref="Allocate"/>.</summary>
    long AllocatedBytes { get; }

    /// <summary>Memory that the arena could still be taken of; null where that is not known.</summary>
    FreeMemory? FindFreeMemory() => null;

    /// <summary>Allocates the arena, zeroed. Called once.</summary>
    /// <exception cref="InvalidOperationException">The arena exists already.</exception>
    /// <exception cref="OutOfMemoryException">The machine cannot give that much.</exception>
    void Allocate(long bytes);

    /// <summary>Tells the backend which part of the arena kernels may use as scratch (bytes as one row, any type).</summary>
    void UseWorkspace(long offset, long bytes);

    /// <summary>Bytes of paged memory; 0 before <see cref="AllocatePaged"/>.</summary>
    long PagedBytes { get; }

    /// <summary>Allocates host memory outside the arena, zeroed, that the device can copy from and to. Called once at most.</summary>
    /// <exception cref="InvalidOperationException">There is paged memory already.</exception>
    /// <exception cref="OutOfMemoryException">The machine cannot give that much.</exception>
    void AllocatePaged(long bytes);

    /// <summary>
    /// Starts to copy paged memory from a byte offset on into a tensor without gaps between its rows. Copies are made in the order of their
    /// calls and may run beside kernels: kernels that use the tensor must be called after <see cref="AwaitPage"/>.
    /// </summary>
    void PageIn(long source, Tensor destination);

    /// <summary>Starts to copy a tensor without gaps between its rows to paged memory, after the kernels called so far and in the order of copies.</summary>
    void PageOut(Tensor source, long destination);

    /// <summary>What is called from now on waits for the copies called so far that read or write this tensor's memory.</summary>
    void AwaitPage(Tensor page);

    /// <summary>Sets the scalars that the kernels of the coming micro-step read.</summary>
    void BeginStep(in Step step);

    /// <summary>Copies host values into a tensor, converting to its type; a quantized weight is quantized as a whole.</summary>
    void Write(Tensor destination, ReadOnlySpan<float> values);

    /// <summary>Copies host values into a tensor, converting to its type.</summary>
    void Write(Tensor destination, ReadOnlySpan<double> values);

    /// <summary>Copies token ids into an <see cref="DType.Int32"/> tensor.</summary>
    void Write(Tensor destination, ReadOnlySpan<int> values);

    /// <summary>Writes bytes as they are: <see cref="Tensor.Bytes"/> of a quantized weight.</summary>
    void Write(Tensor destination, ReadOnlySpan<byte> values);

    /// <summary>Waits for pending work and reads a tensor row by row, converting from its type; a quantized weight is decoded as a whole.</summary>
    void Read(Tensor source, Span<float> values);

    /// <summary>Waits for pending work and reads a tensor row by row, converting from its type.</summary>
    void Read(Tensor source, Span<double> values);

    /// <summary>Reads bytes as they are: <see cref="Tensor.Bytes"/> of a quantized weight.</summary>
    void Read(Tensor source, Span<byte> values);

    /// <summary>Waits for pending work and reads the first element.</summary>
    double Read(Tensor scalar);

    /// <summary>Sets every element to 0.</summary>
    void Zero([Written] Tensor x);

    /// <summary>destination = source, element by element, same shape and type; Float32 and bfloat16 become each other, to the nearest, ties to even.</summary>
    void Copy(Tensor source, [Written] Tensor destination);

    /// <summary>y[t] = scale · table[ids[t]]. ids [T, 1], table [V, d], y [T, d].</summary>
    void Embedding(Tensor ids, [Gathered] Tensor table, [Activation, Written] Tensor y, float scale = 1);

    /// <summary>gradient[ids[t]] += scale · dy[t], in token order. gradient [V, d].</summary>
    void EmbeddingGradient([Activation] Tensor dy, Tensor ids, [Gathered, Accumulated] Tensor gradient, float scale = 1);

    /// <summary>y[t] = x[t] + table[position(t)]. In place over x.</summary>
    void LearnedPositions([Activation] Tensor x, [Gathered] Tensor table, [Activation, Written] Tensor y);

    /// <summary>gradient[position(t)] += dy[t].</summary>
    void LearnedPositionsGradient([Activation] Tensor dy, [Gathered, Accumulated] Tensor gradient);

    /// <summary>
    /// rstd = 1 / sqrt(mean(x²) + ε), y = x · rstd · w, of h runs of d channels each by itself (the heads of a query; 1 of a whole row). x, y [T, h · d]; w [1, d]; rstd [T, h].
    /// </summary>
    void RmsNorm([Activation] Tensor x, Tensor w, [Activation, Written] Tensor y, [Written] Tensor rstd, NormShape shape);

    /// <summary>dx = rstd · (dy·w − x · rstd² · mean(dy·w·x)) + plus, run by run. In place over dy, and over plus.</summary>
    void RmsNormGradient(
        [Activation] Tensor dy, [Activation] Tensor x, Tensor w, Tensor rstd, [Activation, Written] Tensor dx,
        [Activation] Tensor addend = default);

    /// <summary>dw += Σ_t dy · x · rstd, over the runs too. dw [1, d].</summary>
    void RmsNormGradientWeight([Activation] Tensor dy, [Activation] Tensor x, Tensor rstd, [Accumulated] Tensor dw);

    /// <summary>y = (x − mean) · rstd · w + b. statistics [T, 2] holds mean and rstd; b may be none.</summary>
    void LayerNorm([Activation] Tensor x, Tensor w, Tensor b, [Activation, Written] Tensor y, [Written] Tensor statistics, NormShape shape);

    /// <summary>dx = rstd · (g − mean(g) − x̂ · mean(g·x̂)) + plus with g = dy·w, x̂ = (x − mean)·rstd. In place over dy, and over plus.</summary>
    void LayerNormGradient(
        [Activation] Tensor dy, [Activation] Tensor x, Tensor w, Tensor statistics, [Activation, Written] Tensor dx,
        [Activation] Tensor addend = default);

    /// <summary>dw += Σ_t dy · (x − mean) · rstd.</summary>
    void LayerNormGradientWeight([Activation] Tensor dy, [Activation] Tensor x, Tensor statistics, [Accumulated] Tensor dw);

    /// <summary>y = scale · (x wᵀ + bias) + plus. x [T, in], w [out, in], bias [1, out], y [T, out].</summary>
    void Linear(
        [Activation] Tensor x, Tensor w, [Activation, Written] Tensor y, Tensor bias = default, [Activation] Tensor addend = default,
        float scale = 1);

    /// <summary>dx = scale · dy w + plus. dy [T, out], w [out, in], dx [T, in].</summary>
    void LinearGradientInput([Activation] Tensor dy, Tensor w, [Activation, Written] Tensor dx, [Activation] Tensor addend = default, float scale = 1);

    /// <summary>dw += scale · dyᵀ x. dw [out, in].</summary>
    void LinearGradientWeight([Activation] Tensor dy, [Activation] Tensor x, [Accumulated] Tensor dw, float scale = 1);

    /// <summary>db += scale · Σ_t dy. db [1, out].</summary>
    void LinearGradientBias([Activation] Tensor dy, [Accumulated] Tensor db, float scale = 1);

    /// <summary>
    /// y = x wᵀ + bias + scale · h bᵀ + addend: a linear with a low-rank term that joins its accumulators (no second pass over y).
    /// h [T, r], b [out, r].
    /// </summary>
    void LowRankLinear(
        [Activation] Tensor x, Tensor w, [Activation] Tensor h, Tensor b, [Activation, Written] Tensor y, float scale,
        Tensor bias = default, [Activation] Tensor addend = default);

    /// <summary>dx = dy w + e a + addend: the input gradient with its low-rank term. dy [T, out], w [out, in], e [T, r], a [r, in].</summary>
    void LowRankLinearGradientInput(
        [Activation] Tensor dy, Tensor w, [Activation] Tensor e, Tensor a, [Activation, Written] Tensor dx,
        [Activation] Tensor addend = default);

    /// <summary>
    /// Rotates the first channels of each head, as many as the shape's width, by the row's position; channel i pairs with i + width / 2,
    /// and both turn by position · <see cref="RotaryShape.Frequency"/>. x, y [T, heads · headWidth]. In place over x.
    /// </summary>
    void Rotary([Activation] Tensor x, [Activation, Written] Tensor y, RotaryShape shape);

    /// <summary>The inverse rotation: dx from dy. In place over dy.</summary>
    void RotaryGradient([Activation] Tensor dy, [Activation, Written] Tensor dx, RotaryShape shape);

    /// <summary>
    /// o = softmax(q kᵀ / √headWidth, causal) v per head; query head h reads key head h / (heads / keyValueHeads).
    /// q, o [T, heads · w]; k, v [T, keyValueHeads · w]; logSumExp [T, heads]. No [sequence, sequence] matrix exists.
    /// </summary>
    void Attention(
        [Activation] Tensor q, [Activation] Tensor k, [Activation] Tensor v, [Activation, Written] Tensor o, [Written] Tensor logSumExp,
        AttentionShape shape);

    /// <summary>The gradients of <see cref="Attention"/>; dk and dv sum over the query heads of a group.</summary>
    void AttentionGradient(
        [Activation] Tensor dO, [Activation] Tensor q, [Activation] Tensor k, [Activation] Tensor v, [Activation] Tensor o,
        Tensor logSumExp, [Activation, Written] Tensor dq, [Activation, Written] Tensor dk, [Activation, Written] Tensor dv,
        AttentionShape shape);

    /// <summary>
    /// Generation: appends k and v at the step's position to the caches and attends over all positions up to each row's own.
    /// q, o [B·s, heads · w]; k, v [B·s, kv · w]; caches [B · capacity, kv · w], sequence b at rows b·capacity onwards.
    /// </summary>
    void CachedAttention(
        [Activation] Tensor q, [Activation] Tensor k, [Activation] Tensor v, [Accumulated] Tensor keyCache,
        [Accumulated] Tensor valueCache, [Activation, Written] Tensor o, AttentionShape shape);

    /// <summary>h = silu(gate) · up. In place over gate or up.</summary>
    void SwiGlu([Activation] Tensor gate, [Activation] Tensor up, [Activation, Written] Tensor h);

    /// <summary>dGate, dUp of <see cref="SwiGlu"/>, and h again, bit for bit. In place: dGate over gate or dh, dUp over up or dh, h over dh.</summary>
    void SwiGluGradient(
        [Activation] Tensor dh, [Activation] Tensor gate, [Activation] Tensor up, [Activation, Written] Tensor dGate,
        [Activation, Written] Tensor dUp, [Activation, Written] Tensor h = default);

    /// <summary>h = gelu_tanh(gate) · up. In place over gate or up.</summary>
    void GeGlu([Activation] Tensor gate, [Activation] Tensor up, [Activation, Written] Tensor h);

    /// <summary>dGate, dUp of <see cref="GeGlu"/>, and h again, bit for bit. In place: dGate over gate or dh, dUp over up or dh, h over dh.</summary>
    void GeGluGradient(
        [Activation] Tensor dh, [Activation] Tensor gate, [Activation] Tensor up, [Activation, Written] Tensor dGate,
        [Activation, Written] Tensor dUp, [Activation, Written] Tensor h = default);

    /// <summary>y = ½ x (1 + tanh(√(2/π) (x + 0.044715 x³))). In place over x.</summary>
    void Gelu([Activation] Tensor x, [Activation, Written] Tensor y);

    /// <summary>dx of <see cref="Gelu"/>. In place over dy or x.</summary>
    void GeluGradient([Activation] Tensor dy, [Activation] Tensor x, [Activation, Written] Tensor dx);

    /// <summary>y = a + b. In place over a or b.</summary>
    void Add([Activation] Tensor a, [Activation] Tensor b, [Activation, Written] Tensor y);

    /// <summary>y = x · g + plus with a factor per channel: g [1, d]. In place over x, and over plus.</summary>
    void ScaleChannels([Activation] Tensor x, Tensor g, [Activation, Written] Tensor y, [Activation] Tensor addend = default);

    /// <summary>dg += Σ_t dy · x.</summary>
    void ScaleChannelsGradientWeight([Activation] Tensor dy, [Activation] Tensor x, [Accumulated] Tensor dg);

    /// <summary>
    /// inverse[o] = 1 / √(squares[o] + scale · Σ_k b[o, k] (2 inner[k, o] + scale · (gram bᵀ)[k, o])), 0 where the root's argument is not positive: 1 / ‖w + scale · b a‖ of each
    /// row, given ‖w‖², a wᵀ and a aᵀ. squares, inverse [1, out]; b [out, r]; inner [r, out]; gram [r, r].
    /// </summary>
    void InverseRowNorm(Tensor squares, Tensor b, Tensor inner, Tensor gram, [Written] Tensor inverse, float scale = 1);

    /// <summary>y = z · m · inverse + bias + plus, the factors per channel: m, inverse, bias [1, d]. In place over z, and over plus.</summary>
    void Magnitude(
        [Activation] Tensor z, Tensor m, Tensor inverse, [Activation, Written] Tensor y, Tensor bias = default,
        [Activation] Tensor addend = default);

    /// <summary>dm += inverse · Σ_t dy · z.</summary>
    void MagnitudeGradient([Activation] Tensor dy, [Activation] Tensor z, Tensor inverse, [Accumulated] Tensor dm);

    /// <summary>c = min(max(c − τ, 0), 1): a proximal step of τ |c| within [0, 1] (Parikh and Boyd 2014, section 6.5.2).</summary>
    void ShrinkGates([Accumulated] Tensor c, double threshold);

    /// <summary>sums[t] += Σ_c a[t, c] · b[t, c]. sums [1, T].</summary>
    void RowProducts(Tensor a, Tensor b, [Accumulated] Tensor sums);

    /// <summary>
    /// Importance of a parameter's elements (Zhang et al. 2023, equations 8 to 10): i = |w · g|; sensitivity = β1 sensitivity + (1−β1) i;
    /// uncertainty = β2 uncertainty + (1−β2) |i − sensitivity|, with the sensitivity just made.
    /// </summary>
    void Importance(Tensor w, Tensor g, [Accumulated] Tensor sensitivity, [Accumulated] Tensor uncertainty, float beta1, float beta2);

    /// <summary>y[t, j] = mean of x[t, j · g] to x[t, (j + 1) · g − 1]. x [T, groups · g], y [T, groups].</summary>
    void GroupMean([Activation] Tensor x, [Activation, Written] Tensor y);

    /// <summary>dx[t, i] = dy[t, ⌊i / g⌋] / g + plus. dy [T, groups], dx [T, groups · g]. In place over plus.</summary>
    void GroupMeanGradient([Activation] Tensor dy, [Activation, Written] Tensor dx, [Activation] Tensor addend = default);

    /// <summary>
    /// y = x · mask / (1 − rate), where the mask is a function of (key, firstRow + row, column) and is 0 with probability rate.
    /// Its own gradient with the same key. In place over x.
    /// </summary>
    void Dropout([Activation] Tensor x, [Activation, Written] Tensor y, float rate, ulong key, int firstRow = 0);

    /// <summary>y = cap · tanh(x / cap). In place over x.</summary>
    void SoftCap([Activation] Tensor x, [Activation, Written] Tensor y, float cap);

    /// <summary>dx = dy · (1 − (y / cap)²) from the output y. In place over dy or y.</summary>
    void SoftCapGradient([Activation] Tensor dy, [Activation] Tensor y, [Activation, Written] Tensor dx, float cap);

    /// <summary>
    /// loss[0] += Σ_t weights[t] · (logSumExp(logits[t]) − logits[t, targets[t]]) over rows with targets[t] ≥ 0; logSumExp [R, 1] is written.
    /// logits [R, V], targets [R, 1] Int32 (−100: ignored), loss [1, 1], weights [R, 1] Float32; none: each row counts 1.
    /// </summary>
    void CrossEntropy(Tensor logits, Tensor targets, [Written] Tensor logSumExp, [Accumulated] Tensor loss, Tensor weights = default);

    /// <summary>dLogits = lossScale · weights · (softmax(logits) − onehot(target)), 0 for ignored rows. In place over logits.</summary>
    void CrossEntropyGradient(Tensor logits, Tensor targets, Tensor logSumExp, [Written] Tensor dLogits, Tensor weights = default);

    /// <summary>sum[0] += Σ x² (for clipping by the global norm), in double or with an error of at most 1e-6 relative.</summary>
    void SquaredNorm(Tensor x, [Accumulated] Tensor sum);
}
