using ModelCompiler.Generators.Tests.Testing;

namespace ModelCompiler.Generators.Tests.Diagnostics;

/// <summary>One diagnostic shown twice: a source that has it and the nearest one that does not.</summary>
/// <param name="Bad">Source with the one place marked where it is reported.</param>
/// <param name="Message">The message.</param>
/// <param name="Good">A source as close as possible without the mistake.</param>
/// <param name="Aspect">Tells several cases of one ID apart.</param>
internal sealed record DiagnosticCase(string Bad, string Message, string Good, string Aspect = "")
{
    public string Id => Markup.Parse(Bad).Expected.First().Id;

    public string Name => Aspect.Length == 0 ? Id : $"{Id} {Aspect}";
}
