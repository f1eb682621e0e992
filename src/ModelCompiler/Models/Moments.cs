using ModelCompiler.Planning;
using ModelCompiler.Tensors;

namespace ModelCompiler.Models;

/// <summary>
/// The optimizer's state of one parameter: both moments of its gradient. Where they are paged, the handles are of paged memory and not of the
/// arena: only <see cref="PagedMoments"/> reaches what they name.
/// </summary>
public sealed class Moments
{
    internal Moments(MomentPlan plan)
    {
        Storage = plan.Storage;
        Rule = plan.Rule ?? UpdateRule.AdamW;
        First = plan.First.Handle();
        Second = plan.Second.Handle();
        FirstScales = plan.FirstScales.Handle();
        SecondScales = plan.SecondScales.Handle();
    }

    /// <summary>Full moments that lie here.</summary>
    internal Moments(UpdateRule rule, Tensor first, Tensor second) => (Storage, Rule, First, Second) = (MomentStorage.Full, rule, first, second);

    /// <summary>What updates them.</summary>
    public UpdateRule Rule { get; }

    /// <summary>How they are kept.</summary>
    public MomentStorage Storage { get; }

    /// <summary>The first moment, or its codes, [rows, columns].</summary>
    public Tensor First { get; }

    /// <summary>The second moment, or its codes, [rows, columns]; none where the rule has one.</summary>
    public Tensor Second { get; }

    /// <summary>Scale of each block of the first moment, [blocks, 1]; none where moments are full.</summary>
    public Tensor FirstScales { get; }

    /// <summary>Scale of each block of the second moment, [blocks, 1]; none where moments are full.</summary>
    public Tensor SecondScales { get; }
}
