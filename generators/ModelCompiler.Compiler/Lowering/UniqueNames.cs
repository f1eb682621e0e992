using System.Globalization;
using ModelCompiler.Compiler.Graph;

namespace ModelCompiler.Compiler.Lowering;

/// <summary>
/// Gives each value of a region a name of its own, so that what is derived of it, such as its gradient, has the same name in every variant and under
/// every policy. An operation that changes a value, as rotary does, keeps its name.
/// </summary>
public static class UniqueNames
{
    /// <summary>Runs the pass.</summary>
    public static Region Run(Region region)
    {
        var used = new HashSet<string>(StringComparer.Ordinal);
        var renamed = new Dictionary<Value, Value>();
        Op[] ops = [.. region.Ops.Select(Rename)];
        return new Region(ops, region.Input, Now(region.Output));

        Op Rename(Op op)
        {
            foreach (Value output in op.Outputs.OfType<Value>())
            {
                string name = output.Name;
                for (int n = 2; !used.Add(name) && !op.Reads.Any(read => read.Name == output.Name); n++)
                {
                    name = output.Name + n.ToString(CultureInfo.InvariantCulture);
                }

                if (name != output.Name)
                {
                    renamed.Add(output, new Value(name, output.Shape, output.Kind, output.Parameter));
                }
            }

            return op with
            {
                Inputs = [.. op.Inputs.Select(input => Now(input)!)],
                Accumulator = Now(op.Accumulator),
                Outputs = [.. op.Outputs.Select(Now)],
                Declared = [.. op.Declared.Select(Now)],
            };
        }

        Value? Now(Value? value) => value is not null && renamed.TryGetValue(value, out Value? other) ? other : value;
    }
}
