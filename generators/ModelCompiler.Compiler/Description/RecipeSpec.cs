namespace ModelCompiler.Compiler.Description;

/// <summary>How an architecture is fine-tuned.</summary>
/// <param name="Architecture">Name of the architecture's class.</param>
/// <param name="Storage">Storage of the frozen linear weights.</param>
/// <param name="Adapters">The adapters, in the order they are declared.</param>
/// <param name="Budgets">Memory budgets to hold at build time.</param>
public sealed record RecipeSpec(
    string Architecture,
    Storage Storage,
    EquatableArray<AdapterSpec> Adapters,
    EquatableArray<BudgetSpec> Budgets);

/// <summary>
/// One adapter attribute, read generically so that a new method needs no change in the front end: the method's expansion knows
/// its own arguments and their defaults.
/// </summary>
/// <param name="Method">The attribute's name without its suffix: "Lora".</param>
/// <param name="Targets">Projections that carry it (already defaulted to all).</param>
/// <param name="FirstLayer">First layer that carries it.</param>
/// <param name="Arguments">The other named arguments given; booleans are 0 or 1, enums their value.</param>
public sealed record AdapterSpec(string Method, Projections Targets, int FirstLayer, EquatableArray<ArgumentSpec> Arguments)
{
    /// <summary>The value of an argument, or its default where the attribute does not give it.</summary>
    public double Argument(string name, double otherwise)
    {
        foreach (ArgumentSpec argument in Arguments)
        {
            if (argument.Name == name)
            {
                return argument.Value;
            }
        }

        return otherwise;
    }
}

/// <summary>A named attribute argument.</summary>
public sealed record ArgumentSpec(string Name, double Value);

/// <summary>A memory budget.</summary>
/// <param name="Text">The budget as written, "4 GiB".</param>
/// <param name="Batch">Sequences in a micro-batch.</param>
/// <param name="Sequence">Tokens in a sequence (0 when not given: the context).</param>
/// <param name="Threads">Threads of the CPU backend.</param>
public sealed record BudgetSpec(string Text, int Batch, int Sequence, int Threads);
