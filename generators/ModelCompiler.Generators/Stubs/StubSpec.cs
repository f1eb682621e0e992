using ModelCompiler.Compiler.Description;

namespace ModelCompiler.Generators.Stubs;

/// <summary>
/// What a description that cannot be compiled declares and leaves to the compiler. Without these declarations the one message that would
/// help stands among errors about missing types.
/// </summary>
/// <param name="Namespace">Namespace of the class, without escapes; empty for the global one.</param>
/// <param name="Classes">The class behind those that it is nested in: "partial class Outer&lt;T&gt;".</param>
/// <param name="Types">Sublayer types that exist nowhere.</param>
/// <param name="Blocks">Its blocks.</param>
internal sealed record StubSpec(string Namespace, EquatableArray<string> Classes, EquatableArray<string> Types, EquatableArray<StubBlock> Blocks);

/// <summary>A block and its partial properties.</summary>
/// <param name="Class">"partial class Layer".</param>
/// <param name="Properties">"public partial Attention Attention { get => throw null!; }".</param>
internal sealed record StubBlock(string Class, EquatableArray<string> Properties);
