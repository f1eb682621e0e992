using ModelCompiler.Compiler.Graph;
using ModelCompiler.Compiler.Operations;

namespace ModelCompiler.Compiler.Passes;

/// <summary>
/// Turns a sum into the accumulator of what it sums: the residual add joins the first link of the chain of linears (projection,
/// then adapter), so that x + W y + s B A y is one chain of D = f + C.
/// </summary>
public static class FuseAccumulate
{
    /// <summary>Runs the pass.</summary>
    public static Region Run(Region region)
    {
        Op[] ops = region.Ops;
        foreach (Op sum in ops.Where(o => o.Operation is Add).ToArray())
        {
            ops = Fuse(ops, region, sum);
        }

        return region with { Ops = ops };
    }

    private static Op[] Fuse(Op[] ops, Region region, Op sum)
    {
        Value kept = sum.Inputs[0];
        List<Op> chain = Chain(ops, region, sum.Inputs[1], sum);
        if (chain.Count == 0 || Array.FindIndex(ops, o => o.Outputs.Contains(kept)) > Array.IndexOf(ops, chain[0]))
        {
            return ops;
        }

        var result = new List<Op>(ops.Length - 1);
        Value? previous = kept;
        foreach (Op op in ops)
        {
            int link = chain.IndexOf(op);
            if (ReferenceEquals(op, sum))
            {
                continue;
            }

            if (link < 0)
            {
                result.Add(op);
                continue;
            }

            bool last = link == chain.Count - 1;
            Value output = last ? sum.Output : new Value(sum.Output.Name, sum.Output.Shape, ValueKind.Computed);
            result.Add(op with { Outputs = [output], Accumulator = previous });
            previous = output;
        }

        return result.ToArray();
    }

    /// <summary>The links that end in <paramref name="value"/>, first to last, each read by nothing but the next.</summary>
    private static List<Op> Chain(Op[] ops, Region region, Value value, Op reader)
    {
        var chain = new List<Op>();
        Value? link = value;
        Op next = reader;
        while (link is not null)
        {
            Op? producer = Array.Find(ops, o => o.Outputs.Contains(link));
            bool onlyReader = ops.All(o => ReferenceEquals(o, next) || !o.Reads.Contains(link)) && !ReferenceEquals(region.Output, link);
            if (producer is null || !producer.Operation.Accumulates || !onlyReader)
            {
                return [];
            }

            chain.Insert(0, producer);
            next = producer;
            link = producer.Accumulator;
        }

        return chain;
    }
}
