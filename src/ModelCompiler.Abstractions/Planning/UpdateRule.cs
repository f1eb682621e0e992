namespace ModelCompiler.Planning;

/// <summary>How one parameter is updated, and what that needs to remember of it.</summary>
/// <param name="Name">Its name.</param>
/// <param name="States">Matrices of the parameter's shape that it remembers: the first moment of the gradient, then the second.</param>
/// <param name="InParts">Whether rows and columns can be updated by themselves, as methods that freeze directions or move ranks do.</param>
/// <param name="MatricesOnly">Whether vectors are updated by <see cref="AdamW"/> instead.</param>
public sealed record UpdateRule(string Name, int States, bool InParts = false, bool MatricesOnly = false)
{
    /// <summary>AdamW with decoupled decay (Loshchilov and Hutter 2019).</summary>
    public static readonly UpdateRule AdamW = new("AdamW", States: 2, InParts: true);

    /// <summary>The rule for one parameter.</summary>
    public UpdateRule For(ParameterInfo row) => MatricesOnly && row.Vector ? AdamW : this;
}
