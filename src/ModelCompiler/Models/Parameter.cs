using ModelCompiler.Planning;
using ModelCompiler.Tensors;

namespace ModelCompiler.Models;

/// <summary>A parameter of a bound model: its value and, where it is trained, gradient and moments.</summary>
public sealed class Parameter
{
    internal Parameter(ParameterPlan plan)
    {
        Row = plan.Row;
        Layer = plan.Layer;
        Name = plan.Layer < 0
            ? plan.Row.Name
            : plan.Row.Name.Replace("{0}", plan.Layer.ToString(System.Globalization.CultureInfo.InvariantCulture), StringComparison.Ordinal);
        Value = plan.Value.Handle();
        Gradient = plan.Gradient.Handle();
        Moments = new Moments(plan.Moments);
    }

    /// <summary>Name in the checkpoint.</summary>
    public string Name { get; }

    /// <summary>The table row.</summary>
    public ParameterRow Row { get; }

    /// <summary>Layer; -1 outside the layers.</summary>
    public int Layer { get; }

    /// <summary>The value, [rows, columns].</summary>
    public Tensor Value { get; }

    /// <summary>The gradient; none where the parameter is frozen.</summary>
    public Tensor Gradient { get; }

    /// <summary>The optimizer's state; none where the parameter is frozen.</summary>
    public Moments Moments { get; }

    /// <summary>The value's handle, so that generated code reads <c>attention.Query.Weight</c>.</summary>
    public static implicit operator Tensor(Parameter parameter) => parameter.Value;

    /// <inheritdoc/>
    public override string ToString() => $"{Name} [{Value.Rows}, {Value.Columns}]";
}

/// <summary>Handles of planned buffers.</summary>
internal static class PlacementExtensions
{
    /// <summary>The handle of a placement; none where it has no rows.</summary>
    public static Tensor Handle(this Placement place) =>
        place.Rows == 0 ? Tensor.None : new Tensor(place.Offset, place.Rows, place.Columns, place.Columns, place.Type);
}
