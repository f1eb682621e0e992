using ModelCompiler.Operations;
using ModelCompiler.Planning;

namespace ModelCompiler.Compiler.Description;

/// <summary>
/// Everything the compiler is told about one class: the architecture and, for a recipe, how it is fine-tuned. Plain values only,
/// compared by value: no symbols, no locations.
/// </summary>
/// <param name="Type">The user's partial class.</param>
/// <param name="Vocabulary">Number of token ids.</param>
/// <param name="Width">Width of the residual stream.</param>
/// <param name="Context">Longest sequence.</param>
/// <param name="Embedding">The token embedding.</param>
/// <param name="LearnedPositions">Whether learned positions are added to the embedding.</param>
/// <param name="Head">The output head.</param>
/// <param name="FinalNorm">The norm before the head; null: the last sublayer's, or none after post-norm blocks.</param>
/// <param name="Block">The repeated layer.</param>
/// <param name="Recipe">How the model is fine-tuned; null for an architecture by itself, which trains all parameters.</param>
public sealed record ModelSpec(
    TypeSpec Type,
    int Vocabulary,
    int Width,
    int Context,
    EmbeddingSpec Embedding,
    bool LearnedPositions,
    HeadSpec Head,
    NormSpec? FinalNorm,
    BlockSpec Block,
    RecipeSpec? Recipe = null);

/// <summary>Where the generated half of a class goes.</summary>
/// <param name="Namespace">Its namespace, without escapes; empty for the global one.</param>
/// <param name="Name">Its name.</param>
/// <param name="Accessibility">"public" or "internal".</param>
/// <param name="Hidden">Types of the runtime whose simple names mean something else in the class.</param>
public sealed record TypeSpec(string Namespace, string Name, string Accessibility, EquatableArray<string> Hidden = default);

/// <summary>The token embedding table.</summary>
public sealed record EmbeddingSpec(bool Tied, float Scale = 1);

/// <summary>The output head.</summary>
public sealed record HeadSpec(bool Bias = false, float SoftCap = 0);

/// <summary>Kinds of norm.</summary>
public enum NormKind
{
    Rms,
    Layer,
}

/// <summary>A norm with its constants.</summary>
public sealed record NormSpec(NormKind Kind, NormShape Shape, bool Bias);

/// <summary>The repeated layer.</summary>
/// <param name="ClassName">Name of the user's nested class.</param>
/// <param name="Repeat">Number of layers.</param>
/// <param name="Parallel">Whether all sublayers read the block's input.</param>
/// <param name="PostNorm">Whether norms follow the residual adds.</param>
/// <param name="Sublayers">In the order they are declared.</param>
public sealed record BlockSpec(string ClassName, int Repeat, bool Parallel, bool PostNorm, EquatableArray<SublayerSpec> Sublayers);

/// <summary>One sublayer: attention or feed-forward, with its norm, inside its residual.</summary>
/// <param name="PropertyName">Name of the user's partial property.</param>
/// <param name="TypeName">Type the user wrote for it; the compiler generates a nested class of that name.</param>
/// <param name="Norm">The sublayer's norm; null: none.</param>
/// <param name="Attention">Set for attention.</param>
/// <param name="FeedForward">Set for a feed-forward layer.</param>
/// <param name="LayerScale">Whether a learned factor per channel is applied to its output.</param>
/// <param name="Accessibility">"public", or "internal" in an architecture that is.</param>
public sealed record SublayerSpec(
    string PropertyName,
    string TypeName,
    NormSpec? Norm,
    AttentionSpec? Attention,
    FeedForwardSpec? FeedForward,
    bool LayerScale = false,
    string Accessibility = "public");

/// <summary>Attention with its resolved sizes.</summary>
/// <param name="Shape">Heads and their width, with what is not given defaulted.</param>
/// <param name="Bias">Bias on query, key, value.</param>
/// <param name="OutputBias">Bias on the output projection.</param>
/// <param name="Rotary">Rotary positions, with what is not given defaulted; null: none.</param>
/// <param name="QueryKeyNorm">RMS norm of each head's queries and keys; null: none.</param>
/// <param name="RotaryLayers">The layers with rotary positions, as the description says it: "0..2, 4.."; empty: all.</param>
public sealed record AttentionSpec(AttentionShape Shape, bool Bias, bool OutputBias, RotaryShape? Rotary, NormSpec? QueryKeyNorm = null, string RotaryLayers = "");

/// <summary>Kinds of feed-forward layer.</summary>
public enum FeedForwardKind
{
    SwiGlu,
    GeGlu,
    Gelu,
}

/// <summary>A feed-forward layer.</summary>
public sealed record FeedForwardSpec(FeedForwardKind Kind, int Hidden, bool Bias);
