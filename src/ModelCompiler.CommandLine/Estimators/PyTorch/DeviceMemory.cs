namespace ModelCompiler.CommandLine.Estimators.PyTorch;

/// <summary>What an allocation is for.</summary>
internal enum Term
{
    Projections,
    Factors,
    Embeddings,
    Norms,
    RotaryTables,
    Loading,
    Adapters,
    Gradients,
    Moments,
    Inputs,
    BlockInputs,
    Saved,
    Passing,
    Logits,
    CrossEntropy,
    Outputs,
    Head,
    Dequantized,
    AdapterCopies,
    OperandCopies,
    Workspaces,
}

/// <summary>A tensor on the device.</summary>
internal sealed record Allocation(CachingAllocator.Block Block, Term Term, long Bytes);

/// <summary>The device: allocations by what they are for, and what there was at the peak.</summary>
internal sealed class DeviceMemory
{
    private static readonly (Term Term, string Name, CostKind Kind)[] s_terms =
    [
        (Term.Projections, "projections in 4 bits", CostKind.Weights),
        (Term.Factors, "their factors", CostKind.Weights),
        (Term.Embeddings, "embedding and head in fp32", CostKind.Weights),
        (Term.Norms, "norms in fp32", CostKind.Weights),
        (Term.RotaryTables, "rotary tables of every layer", CostKind.Weights),
        (Term.Loading, "weights while loading", CostKind.Workspace),
        (Term.Adapters, "adapters in fp32", CostKind.Adapters),
        (Term.Gradients, "gradients", CostKind.Gradients),
        (Term.Moments, "moments that are not paged", CostKind.Optimizer),
        (Term.Inputs, "ids, labels and masks", CostKind.Inputs),
        (Term.BlockInputs, "block inputs", CostKind.Activations),
        (Term.Saved, "kept of the recomputed block", CostKind.Activations),
        (Term.Passing, "intermediate results", CostKind.Activations),
        (Term.Logits, "logits and their gradient", CostKind.Activations),
        (Term.CrossEntropy, "cross-entropy", CostKind.Activations),
        (Term.Outputs, "retained outputs", CostKind.Activations),
        (Term.Head, "head in 16 bits", CostKind.Workspace),
        (Term.Dequantized, "dequantized weight", CostKind.Workspace),
        (Term.AdapterCopies, "adapters in 16 bits", CostKind.Workspace),
        (Term.OperandCopies, "operands in fp16", CostKind.Workspace),
        (Term.Workspaces, "cuBLAS workspaces", CostKind.Workspace),
    ];

    private readonly CachingAllocator _allocator = new();
    private readonly long[] _bytes = new long[s_terms.Length];
    private readonly long[] _atPeak = new long[s_terms.Length];

    /// <summary>What goes on, for <see cref="PeakMoment"/>.</summary>
    public string Moment { get; set; } = "loading";

    /// <summary>What went on when the peak was reached.</summary>
    public string PeakMoment { get; private set; } = "";

    /// <summary>The peak in bytes.</summary>
    public long Peak => _allocator.PeakAllocated;

    /// <summary>Bytes of all segments.</summary>
    public long Reserved => _allocator.Reserved;

    /// <summary>What there are tensors of.</summary>
    public IEnumerable<Term> Live => s_terms.Select(static t => t.Term).Where(term => _bytes[(int)term] != 0);

    /// <summary>Allocates a tensor.</summary>
    public Allocation New(Term term, long bytes)
    {
        long peak = Peak;
        var allocation = new Allocation(_allocator.Allocate(bytes), term, bytes);
        _bytes[(int)term] += bytes;
        if (Peak > peak)
        {
            _bytes.CopyTo(_atPeak, 0);
            PeakMoment = Moment;
        }

        return allocation;
    }

    /// <summary>Drops tensors.</summary>
    public void Drop(params ReadOnlySpan<Allocation?> allocations)
    {
        foreach (Allocation? allocation in allocations)
        {
            if (allocation is not null)
            {
                _allocator.Free(allocation.Block);
                _bytes[(int)allocation.Term] -= allocation.Bytes;
            }
        }
    }

    /// <summary>Allocates a tensor made from others, then drops those.</summary>
    public Allocation Replace(Term term, long bytes, params ReadOnlySpan<Allocation?> sources)
    {
        Allocation made = New(term, bytes);
        Drop(sources);
        return made;
    }

    /// <summary>Allocates and drops a tensor.</summary>
    public void Touch(Term term, long bytes) => Drop(New(term, bytes));

    /// <summary>What was allocated at the peak; the last term is what blocks have beyond their tensors.</summary>
    public IReadOnlyList<EstimateTerm> TermsAtPeak() =>
    [
        .. s_terms.Select(t => new EstimateTerm(t.Name, t.Kind, _atPeak[(int)t.Term])).Where(static t => t.Bytes > 0),
        new EstimateTerm("rounding of the allocator", CostKind.Overhead, Peak - _atPeak.Sum()),
    ];
}
