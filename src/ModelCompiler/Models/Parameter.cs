using ModelCompiler.Planning;
using ModelCompiler.Tensors;

namespace ModelCompiler.Models;

/// <summary>A parameter of a bound model: its value and, where it is trained, gradient and moments.</summary>
public sealed class Parameter
{
    internal Parameter(ParameterPlan plan)
    {
        Info = plan.Row;
        Layer = plan.Layer;
        Path = plan.Row.PathIn(plan.Layer);
        Value = plan.Value.Handle();
        WholeGradient = plan.Gradient.Handle();
        Moments = new Moments(plan.Moments);
        Active = Value;
        UpdateWindow = new Window(0, Value.Rows, 0, Value.Columns);
    }

    /// <summary>Path of its property in the model, which no other parameter has: "Layers[3].Attention.Query.Weight".</summary>
    public string Path { get; }

    /// <summary>The table row.</summary>
    public ParameterInfo Info { get; }

    /// <summary>Layer; -1 outside the layers.</summary>
    public int Layer { get; }

    /// <summary>The value, [rows, columns].</summary>
    public Tensor Value { get; private set; }

    /// <summary>The part that the kernels read: the whole, or the first rows and columns where the adapter's rank is lower for now.</summary>
    public Tensor Active { get; private set; }

    /// <summary>The gradient of the active part; none where the parameter is frozen.</summary>
    public Tensor Gradient => WholeGradient.IsNone ? WholeGradient : WholeGradient.Window(0, Active.Rows, 0, Active.Columns);

    /// <summary>The gradient of all rows and columns.</summary>
    internal Tensor WholeGradient { get; private set; }

    /// <summary>The rows and columns that the optimizer updates.</summary>
    public Window UpdateWindow { get; private set; }

    /// <summary>How often each row (or column) was updated, where they are not updated together; null elsewhere. Bias correction goes by it.</summary>
    internal DirectionCounts? UpdateCounts { get; set; }

    /// <summary>A learning rate of its own, the same in every step; null: the run's.</summary>
    internal double? OwnLearningRate { get; set; }

    /// <summary>Weight of the L1 term that the optimizer takes (AdamE); 0: none.</summary>
    internal double L1Penalty { get; set; }

    /// <summary>The gradient of the live part; none where there is none.</summary>
    public Tensor LiveGradient => Part(WholeGradient);

    /// <summary>The optimizer's state; none where the parameter is frozen.</summary>
    public Moments Moments { get; private set; }

    /// <summary>The active part's handle, so that generated code reads <c>attention.Query.Weight</c>.</summary>
    public static implicit operator Tensor(Parameter parameter) => parameter.Active;

    /// <summary>The live part of the value, the gradient or a full moment.</summary>
    public Tensor Part(Tensor whole) => UpdateWindow.Of(whole);

    /// <summary>The columns of a linear's output gradient, [T, out], that make the live rows of its weight's gradient.</summary>
    public Tensor LiveOutputs(Tensor outputs) => outputs.Window(0, outputs.Rows, UpdateWindow.FirstRow, UpdateWindow.Rows);

    /// <summary>The columns of a linear's input, [T, in], that make the live columns of its weight's gradient.</summary>
    public Tensor LiveInputs(Tensor inputs) => inputs.Window(0, inputs.Rows, UpdateWindow.FirstColumn, UpdateWindow.Columns);

    /// <summary>Takes another place and another size, where ranks moved.</summary>
    internal void Bind(Tensor value, Tensor gradient, Tensor first, Tensor second)
    {
        (Value, WholeGradient, Moments) = (value, gradient, new Moments(Moments.Rule, first, second));
        Activate(value.Rows, value.Columns);
    }

    /// <summary>Lets kernels read, and the optimizer update, the first rows and columns only.</summary>
    internal void Activate(int rows, int columns)
    {
        Active = Value.Window(0, rows, 0, columns);
        UpdateWindow = new Window(0, rows, 0, columns);
        UpdateCounts = null;
    }

    /// <summary>Lets the optimizer update these rows and columns only; all else keeps its value and its moments.</summary>
    /// <exception cref="InvalidOperationException">The moments are quantized or paged: the parameter was not described as updated in parts.</exception>
    /// <param name="live">The window.</param>
    /// <param name="counts">The updates of each of its rows or columns, this step's included; null: those of the run.</param>
    internal void Restrict(Window live, DirectionCounts? counts = null)
    {
        if (!Info.SupportsPartialUpdate)
        {
            throw new InvalidOperationException($"{Path} is updated as a whole");
        }

        (UpdateWindow, UpdateCounts) = (live, counts);
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Path} [{Value.Rows}, {Value.Columns}]";
}

/// <summary>Some rows and columns of a matrix.</summary>
/// <param name="FirstRow">The first row.</param>
/// <param name="Rows">How many rows; 0: nothing.</param>
/// <param name="FirstColumn">The first column.</param>
/// <param name="Columns">How many columns; 0: nothing.</param>
public readonly record struct Window(int FirstRow, int Rows, int FirstColumn, int Columns)
{
    /// <summary>These rows and columns of a matrix; none of none.</summary>
    public Tensor Of(Tensor whole) => whole.IsNone ? whole : whole.Window(FirstRow, Rows, FirstColumn, Columns);
}

/// <summary>The updates of each of a parameter's rows or columns.</summary>
/// <param name="ByRow">Whether of rows.</param>
/// <param name="Updates">How many each has had; the first of the first row or column.</param>
internal sealed record DirectionCounts(bool ByRow, int[] Updates);

/// <summary>Handles of planned buffers.</summary>
internal static class PlacementExtensions
{
    /// <summary>The handle of a placement; none where it has no rows.</summary>
    public static Tensor Handle(this Placement place) =>
        place.Rows == 0 ? Tensor.None : new Tensor(place.Offset, place.Rows, place.Columns, place.Columns, place.Type);
}
