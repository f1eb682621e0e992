using System.Runtime.CompilerServices;
using ModelCompiler.Backends;
using ModelCompiler.Operations;
using ModelCompiler.Planning;
using ModelCompiler.Tensors;

namespace ModelCompiler.Testing.Null;

public sealed partial class NullBackend
{
    /// <summary>Counts what is read of the caches up to the last position, and the rows that are appended.</summary>
    public void CachedAttention(Tensor q, Tensor k, Tensor v, Tensor keyCache, Tensor valueCache, Tensor o, AttentionShape shape)
    {
        int cacheRows = q.Rows / step.Sequence * (step.Position + step.Sequence);
        Count(nameof(CachedAttention), [q, k, v, o, k, v], Gathered(keyCache, cacheRows) + Gathered(valueCache, cacheRows));
    }

    /// <summary>Bytes of some rows of a matrix, which lies in the arena as a whole.</summary>
    private long Gathered(Tensor matrix, int rows, [CallerMemberName] string operation = "")
    {
        Touch(matrix, operation);
        return StorageLayout.BytesOf(matrix.Type, rows, matrix.Columns);
    }
}
