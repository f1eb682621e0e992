using ModelCompiler.Adapters;
using ModelCompiler.Planning;

namespace ModelCompiler.Compiler.Writing;

/// <summary>Adapter slots and their options as C#: what the description leaves to the defaults is not written.</summary>
internal static class OptionsText
{
    /// <summary>A slot: <c>"Attention.Query", new LoraOptions { Rank = 4 }, MaximumRank: 64</c>.</summary>
    public static string Slot(AdapterSlot slot)
    {
        string layers = slot.Layers is null ? "" : $", Layers: {Literal.Layers(slot.Layers)}";
        return FormattableString.Invariant($"\"{slot.Path}\", {Options(slot.Options)}, MaximumRank: {slot.MaximumRank}{layers}");
    }

    private static string Options(AdapterOptions options)
    {
        IReadOnlyList<AdapterArgument> changed = options.Changed;
        return $"new §{options.GetType().Name}" + (changed.Count == 0 ? "()" : $" {{ {string.Join(", ", changed.Select(Argument))} }}");
    }

    private static string Argument(AdapterArgument argument) =>
        $"{argument.Name} = {(argument.Value is Enum ? "§" : "")}{argument.Literal}";
}
