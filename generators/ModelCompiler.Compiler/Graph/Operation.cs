using ModelCompiler.Operations;
using ModelCompiler.Planning;

namespace ModelCompiler.Compiler.Graph;

/// <summary>Whether a value may be made again in backward instead of being kept.</summary>
public enum Recompute
{
    /// <summary>Never: making it costs a matrix product.</summary>
    Never,

    /// <summary>Under selective checkpointing: it costs one pass over memory.</summary>
    Cheap,

    /// <summary>Always, whatever the policy: keeping it would be waste (dropout, whose mask replays).</summary>
    Always,
}

/// <summary>
/// One row of the operation catalog: shape rule, gradient rule, what it may overwrite, cost, formula and C# call. What the
/// gradient saves is not stated: it is what remains read after pruning.
/// </summary>
public abstract record Operation
{
    /// <summary>Method of the backend.</summary>
    public virtual string Method => GetType().Name;

    /// <summary>What the row computes.</summary>
    public abstract string Formula { get; }

    /// <summary>What this operation computes, in terms of its own operands, for the comment beside the call.</summary>
    public virtual string Describe(Op op) => Formula;

    /// <summary>Shapes of the outputs.</summary>
    /// <exception cref="ShapeException">The inputs do not fit.</exception>
    public abstract Shape[] Infer(Value[] inputs);

    /// <summary>Emits the operations that turn gradients of the outputs into gradients of the inputs. Rows that exist only in backward have none.</summary>
    public virtual void Gradient(Op op, GradientBuilder g) =>
        throw new InvalidOperationException($"{Method} has no gradient rule");

    /// <summary>Indices of inputs whose memory output <paramref name="output"/> may take: a permission, not a command.</summary>
    public virtual int[] MayOverwrite(int output) => [];

    /// <summary>Whether an output is a number or two of a row, such as a norm's deviation, which 16 bits would spoil.</summary>
    public virtual bool IsStatistic(int output) => false;

    /// <summary>Whether the row can add an accumulator, the C of D = scale · f + C.</summary>
    public virtual bool Accumulates => false;

    /// <summary>Whether the output may be recomputed in backward.</summary>
    public virtual Recompute Recompute => Recompute.Never;

    /// <summary>Floating-point operations, counting a multiply-add as two.</summary>
    public virtual Flops Flops(Op op, Sizes sizes) => default;

    /// <summary>The matrix, of all that the operation reads or writes, of which it touches one row for each row of the others; null: none.</summary>
    public virtual Value? Gathered(Op op) => null;

    /// <summary>Arguments of the call, in the order of the backend's method.</summary>
    public abstract void Arguments(Op op, CallWriter call);
}

/// <summary>Collects the arguments of one call in the generated text.</summary>
public sealed class CallWriter(Func<Value?, string> nameOf, Func<ScalarRef, string> scalarOf, Func<object, string> shapeOf)
{
    private readonly List<string> _arguments = [];

    /// <summary>A tensor; a dead output is written as none.</summary>
    public CallWriter Tensor(Value? value)
    {
        _arguments.Add(nameOf(value));
        return this;
    }

    /// <summary>A tensor by name, left out where it is absent.</summary>
    public CallWriter Named(string name, Value? value)
    {
        if (value is not null)
        {
            _arguments.Add($"{name}: {nameOf(value)}");
        }

        return this;
    }

    /// <summary>A second output: named, so that a reader sees what is none when nobody reads it.</summary>
    public CallWriter Output(string name, Value? output)
    {
        _arguments.Add($"{name}: {nameOf(output)}");
        return this;
    }

    /// <summary>The gradient buffer of the operation's parameter.</summary>
    public CallWriter Gradient(Op op)
    {
        _arguments.Add(nameOf(op.GradientOf) + ".Gradient");
        return this;
    }

    /// <summary>The gradient buffer of the operation's parameter, where the optimizer updates it now.</summary>
    public CallWriter LiveGradient(Op op)
    {
        _arguments.Add(nameOf(op.GradientOf) + ".LiveGradient");
        return this;
    }

    /// <summary>The columns of a tensor that belong to the live inputs or outputs of the operation's parameter.</summary>
    public CallWriter Live(Op op, string side, Value value)
    {
        _arguments.Add($"{nameOf(op.GradientOf)}.Live{side}({nameOf(value)})");
        return this;
    }

    /// <summary>A scalar of the plan by name, left out where it is absent.</summary>
    public CallWriter Named(string name, ScalarRef? scalar)
    {
        if (scalar is not null)
        {
            _arguments.Add($"{name}: {scalarOf(scalar)}");
        }

        return this;
    }

    /// <summary>An integer by name.</summary>
    public CallWriter Named(string name, int value)
    {
        _arguments.Add(FormattableString.Invariant($"{name}: {value}"));
        return this;
    }

    /// <summary>A float by name.</summary>
    public CallWriter Named(string name, float value)
    {
        _arguments.Add($"{name}: {value.ToString("R", System.Globalization.CultureInfo.InvariantCulture)}f");
        return this;
    }

    /// <summary>What the operation is told beside its tensors: a record such as <see cref="ModelCompiler.Operations.RotaryShape"/>.</summary>
    public CallWriter Shape(object shape)
    {
        _arguments.Add(shapeOf(shape));
        return this;
    }

    /// <summary>Any text by name.</summary>
    public CallWriter Verbatim(string text)
    {
        _arguments.Add(text);
        return this;
    }

    /// <inheritdoc/>
    public override string ToString() => string.Join(", ", _arguments);
}
