namespace ModelCompiler.Compiler.Writing;

/// <summary>A generated file.</summary>
/// <param name="Name">Hint name: "X.Forward.g.cs".</param>
/// <param name="Text">C# text.</param>
public sealed record SourceFile(string Name, string Text);
