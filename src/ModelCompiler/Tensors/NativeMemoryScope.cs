namespace ModelCompiler.Tensors;

/// <summary>
/// Counts the native memory that is taken while it is open, by the code that opened it and the threads that this code starts.
/// What a plan predicts is compared with these figures. Scopes nest: an inner scope's memory counts for the outer one too.
/// </summary>
public sealed class NativeMemoryScope : IDisposable
{
    private static readonly AsyncLocal<NativeMemoryScope?> s_current = new();

    private readonly NativeMemoryScope? _outer = s_current.Value;
    private readonly Lock _gate = new();
    private long _inUse;
    private long _peak;

    /// <summary>Opens a scope inside of the current one.</summary>
    public NativeMemoryScope() => s_current.Value = this;

    /// <summary>Bytes taken while the scope was open and not given back yet.</summary>
    public long BytesInUse
    {
        get
        {
            lock (_gate)
            {
                return _inUse;
            }
        }
    }

    /// <summary>The highest <see cref="BytesInUse"/> so far.</summary>
    public long PeakBytes
    {
        get
        {
            lock (_gate)
            {
                return _peak;
            }
        }
    }

    /// <summary>The innermost open scope of the running code; null where there is none.</summary>
    internal static NativeMemoryScope? Current => s_current.Value;

    /// <summary>Closes the scope: memory taken from now on is not counted, and what was counted is still followed until it is given back.</summary>
    public void Dispose() => s_current.Value = _outer;

    /// <summary>Counts bytes that were taken, or given back where negative.</summary>
    internal void Add(long bytes)
    {
        for (NativeMemoryScope? scope = this; scope is not null; scope = scope._outer)
        {
            lock (scope._gate)
            {
                scope._inUse += bytes;
                scope._peak = Math.Max(scope._peak, scope._inUse);
            }
        }
    }
}
