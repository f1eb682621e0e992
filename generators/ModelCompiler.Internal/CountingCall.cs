using Microsoft.CodeAnalysis;

namespace ModelCompiler.Internal;

/// <summary>
/// A method that tells <c>Count</c> its name and its tensors, where any that it writes exists. An accumulated tensor is read and written, so
/// it comes twice. Of a gathered matrix it touches one row for each row of the first activation.
/// </summary>
internal static class CountingCall
{
    public static string Of(IMethodSymbol method)
    {
        IParameterSymbol[] tensors = [.. method.Parameters.Where(static p => p.Type.Name == "Tensor")];
        IParameterSymbol[] results = [.. tensors.Where(static p => Signature.Is(p, "Written") || Signature.Is(p, "Accumulated"))];
        if (!method.ReturnsVoid || results.Length == 0)
        {
            throw new NotSupportedException($"'{method.Name}' writes no tensor that is marked [Written] or [Accumulated]: declare it in the class.");
        }

        IEnumerable<string> operands = tensors.Where(static p => !Signature.Is(p, "Gathered"))
            .SelectMany(static p => Enumerable.Repeat(Signature.Argument(p), Passes(p)));
        string gathered = tensors.FirstOrDefault(static p => Signature.Is(p, "Gathered")) is { } matrix
            ? $", {Passes(matrix)} * Gathered({Signature.Argument(matrix)}, {Signature.Argument(tensors.First(static p => Signature.Is(p, "Activation")))}.Rows)"
            : "";
        return $$"""
            {{Signature.Head(method)}}
                {
                    if ({{string.Join(" || ", results.Select(static p => $"!{Signature.Argument(p)}.IsNone"))}})
                    {
                        Count("{{method.Name}}", [{{string.Join(", ", operands)}}]{{gathered}});
                    }
                }

            """;
    }

    private static int Passes(IParameterSymbol tensor) => Signature.Is(tensor, "Accumulated") ? 2 : 1;
}
