using ModelCompiler.Compiler.Graph;
using ModelCompiler.Compiler.Lowering;
using ModelCompiler.Compiler.Operations;
using ModelCompiler.Compiler.Passes;
using ModelCompiler.Planning;

namespace ModelCompiler.Compiler.Writing;

/// <summary>The operations of a region as kernel calls, each with its formula, shape and note.</summary>
internal static class OperationsText
{
    /// <summary>The lines of some operations.</summary>
    /// <param name="types">The model.</param>
    /// <param name="draft">The frame they run on.</param>
    /// <param name="ops">The operations.</param>
    /// <param name="forward">Whether they are those of forward.</param>
    /// <param name="local">The local that a buffer is read through; null: none.</param>
    public static OperationLine[] Lines(ModelTypes types, FrameDraft draft, Op[] ops, bool forward, Func<string, string?>? local = null) =>
    [
        .. ops.Select(op => new OperationLine(
            Call(types, draft, op, local),
            Formula(op),
            Shape(op),
            Note(draft, op, forward),
            forward && op.Section is not null ? AttributesText.Of(types.Spec, op.Section) : null)),
    ];

    private static string Formula(Op op)
    {
        string formula = op.Operation.Describe(op);
        return op.Accumulator is not null && op.Operation.Accumulates ? formula + " + c" : formula;
    }

    private static string Shape(Op op) =>
        op.Outputs.Length > 0 ? op.Outputs.First(o => o is not null)!.Shape.ToString()
            : op.GradientOf is { } parameter ? parameter.Shape.ToString() : "";

    private static string Note(FrameDraft draft, Op op, bool forward)
    {
        Value? output = op.Outputs.FirstOrDefault(o => o is not null);
        if (output is null)
        {
            return "";
        }

        if (op.Recomputed)
        {
            return "recomputed";
        }

        FrameBuffer row = draft.Table.Buffers.First(r => r.Name == draft.Names[output]);
        if (forward)
        {
            return row.Kind switch
            {
                BufferKind.Saved => "saved",
                BufferKind.Output => "next layer's input",
                _ => draft.Backward.Any(o => o.Outputs.Any(r => r?.Name == output.Name + "Recomputed")) ? "recomputed" : "",
            };
        }

        FrameBuffer owner = row.Shares >= 0 ? draft.Table.Buffers[row.Shares] : row;
        string[] read = op.Inputs.Where(i => draft.Names.ContainsKey(i)).Select(i => draft.Names[i]).ToArray();
        return owner.Name != row.Name && read.Contains(owner.Name) ? $"in place of {owner.Name}" : "";
    }

    private static string Call(ModelTypes types, FrameDraft draft, Op op, Func<string, string?>? local)
    {
        int dead = 0;
        Value[] unread = op.Declared.Where((value, i) => value is not null && op.Outputs[i] is null).Select(static value => value!).ToArray();
        var call = new CallWriter(Name, Scalar, types.Shapes.NameOf);
        op.Operation.Arguments(op, call);
        return $"ops.{op.Operation.Method}({call});";

        string Name(Value? value) => value switch
        {
            null => Dead(),
            { Kind: ValueKind.Parameter } => types.ParameterText(value.Name),
            { Kind: ValueKind.External } => value == Lower.Targets || value == Lower.LossRows ? "act." + value.Name : value.Name,
            _ => local?.Invoke(draft.Names[value]) ?? "act." + draft.Names[value],
        };

        // A buffer that other frames have is absent from this one, so its handle is none: one text serves both.
        string Dead()
        {
            Value? value = unread.ElementAtOrDefault(dead++);
            return value is not null && types.Union(draft).Has(value.Name) && draft.Table.Buffers.All(r => r.Name != value.Name) ? "act." + value.Name : "§Tensor.None";
        }

        string Scalar(ScalarRef scalar)
        {
            string adapter = types.ParameterText(scalar.Slot.Path + ".Adapter");
            return scalar.Kind switch
            {
                ScalarKind.Scale => adapter + ".ActiveScale",
                ScalarKind.DropoutRate => adapter + ".DropoutRate",
                _ => $"DropoutKey({adapter})",
            };
        }
    }
}
