using Microsoft.CodeAnalysis;

namespace ModelCompiler.Internal;

/// <summary>
/// A method that hands its call on to <c>_inner</c>: activations through <c>In</c>, those that are written through <c>Out</c>, and then
/// <c>Narrow()</c>. Where no parameter is an activation the call passes as it is.
/// </summary>
internal static class WideningCall
{
    public static string Of(IMethodSymbol method)
    {
        string call = $"_inner.{method.Name}({string.Join(", ", method.Parameters.Select(Argument))})";
        return method.Parameters.Any(static p => Signature.Is(p, "Activation"))
            ? $$"""
                {{Signature.Head(method)}}
                    {
                        {{call}};
                        Narrow();
                    }

                """
            : $"{Signature.Head(method)} => {call};\n";
    }

    private static string Argument(IParameterSymbol parameter)
    {
        string argument = Signature.Argument(parameter);
        return !Signature.Is(parameter, "Activation") ? argument
            : Signature.Is(parameter, "Written") ? $"Out({argument})"
            : $"In({argument})";
    }
}
