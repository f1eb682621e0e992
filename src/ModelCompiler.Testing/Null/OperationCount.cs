using ModelCompiler.Backends;

namespace ModelCompiler.Testing.Null;

/// <summary>What one operation of <see cref="IBackend"/> cost so far.</summary>
/// <param name="Launches">Calls that had work to do.</param>
/// <param name="Bytes">Bytes of the tensors read and written, each once per call; an accumulated tensor is read and written.</param>
public readonly record struct OperationCount(long Launches, long Bytes)
{
    /// <summary>The sum, field by field.</summary>
    public static OperationCount operator +(OperationCount a, OperationCount b) => new(a.Launches + b.Launches, a.Bytes + b.Bytes);
}
