using ModelCompiler.Tensors;

namespace ModelCompiler.Cuda;

/// <content>Attention.</content>
public sealed unsafe partial class CudaBackend
{
    /// <inheritdoc/>
    public void Attention(Tensor q, Tensor k, Tensor v, Tensor o, Tensor logSumExp, int heads, int keyValueHeads) =>
        throw new NotSupportedException("Attention has no kernel on a GPU yet.");

    /// <inheritdoc/>
    public void AttentionGradient(
        Tensor dO, Tensor q, Tensor k, Tensor v, Tensor o, Tensor logSumExp, Tensor dq, Tensor dk, Tensor dv, int heads, int keyValueHeads) =>
        throw new NotSupportedException("Attention has no kernel on a GPU yet.");

    /// <inheritdoc/>
    public void CachedAttention(Tensor q, Tensor k, Tensor v, Tensor keyCache, Tensor valueCache, Tensor o, int heads, int keyValueHeads) =>
        throw new NotSupportedException("Attention has no kernel on a GPU yet.");
}
