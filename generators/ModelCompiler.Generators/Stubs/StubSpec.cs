using ModelCompiler.Compiler.Description;

namespace ModelCompiler.Generators.Stubs;

/// <summary>
/// What a description that cannot be compiled declares and leaves to the compiler. Without these declarations the C# compiler stops
/// at errors about missing types before any analyzer has spoken, and the one message that would help is never shown.
/// </summary>
/// <param name="Namespace">Namespace of the class; empty for the global one.</param>
/// <param name="Name">The class.</param>
/// <param name="Types">Sublayer types that exist nowhere.</param>
/// <param name="Blocks">Its blocks.</param>
internal sealed record StubSpec(string Namespace, string Name, EquatableArray<string> Types, EquatableArray<StubBlock> Blocks);

/// <summary>A block and its partial properties.</summary>
internal sealed record StubBlock(string Name, EquatableArray<StubProperty> Properties);

/// <summary>A partial property without its other half.</summary>
/// <param name="Modifiers">As the user wrote them: "public partial".</param>
/// <param name="Type">The type as the user wrote it.</param>
/// <param name="Name">Its name.</param>
/// <param name="Setter">"set", "init", or empty.</param>
internal sealed record StubProperty(string Modifiers, string Type, string Name, string Setter);
