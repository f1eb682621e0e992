namespace ModelCompiler.Compiler.Graph;

/// <summary>
/// Emits backward operations. It asks nothing about what is frozen: pruning does. The first contribution to a value's gradient
/// writes it; later ones carry the earlier as their accumulator, or are added where their operation cannot.
/// </summary>
public sealed class GradientBuilder
{
    private readonly Dictionary<Value, Value> _gradients = [];
    private readonly List<Op> _ops = [];

    /// <summary>The operations so far.</summary>
    public IReadOnlyList<Op> Ops => _ops;

    /// <summary>The gradient of a forward value so far; null where nothing contributed.</summary>
    public Value? Of(Value? value) => value is not null && _gradients.TryGetValue(value, out Value? gradient) ? gradient : null;

    /// <summary>Says that <paramref name="gradient"/> is all that has reached <paramref name="value"/> yet.</summary>
    public void Start(Value value, Value gradient) => _gradients[value] = gradient;

    /// <summary>Adds a contribution made by an operation. On a parameter it adds to the parameter's own gradient buffer.</summary>
    public void Add(Value target, Operation row, Value[] inputs, ScalarRef? scale = null)
    {
        if (target.Kind == ValueKind.Parameter)
        {
            _ops.Add(new Op(row, inputs, []) { Scale = scale, GradientOf = target });
            return;
        }

        Value? earlier = Of(target);
        var output = new Value(target.Name + "Gradient", target.Shape, ValueKind.Computed);
        if (earlier is null || row.Accumulates)
        {
            _ops.Add(new Op(row, inputs, [output]) { Scale = scale, Accumulator = earlier });
            _gradients[target] = output;
            return;
        }

        _ops.Add(new Op(row, inputs, [output]) { Scale = scale });
        Sum(target, earlier, output);
    }

    /// <summary>Adds the contributions of one operation to several values.</summary>
    public void AddMany(Value[] targets, Operation row, params Value[] inputs)
    {
        Value[] outputs = targets.Select(t => new Value(t.Name + "Gradient", t.Shape, ValueKind.Computed)).ToArray();
        _ops.Add(new Op(row, inputs, outputs));
        for (int i = 0; i < targets.Length; i++)
        {
            if (Of(targets[i]) is { } earlier)
            {
                Sum(targets[i], earlier, outputs[i]);
            }
            else
            {
                _gradients[targets[i]] = outputs[i];
            }
        }
    }

    /// <summary>Adds a contribution equal to a gradient that exists: the identity of residual adds.</summary>
    public void Same(Value target, Value gradient)
    {
        if (Of(target) is { } earlier)
        {
            Sum(target, earlier, gradient);
        }
        else
        {
            _gradients[target] = gradient;
        }
    }

    private void Sum(Value target, Value earlier, Value contribution)
    {
        var sum = new Value(target.Name + "Gradient", target.Shape, ValueKind.Computed);
        _ops.Add(new Op(new Add(), [earlier, contribution], [sum]));
        _gradients[target] = sum;
    }
}
