namespace ModelCompiler.Planning;

/// <summary>A sublayer of a block.</summary>
/// <param name="Name">Name of its property.</param>
/// <param name="Kind">What it is.</param>
public sealed record SublayerInfo(string Name, SublayerKind Kind);

/// <summary>What a sublayer is.</summary>
public enum SublayerKind
{
    /// <summary>Attention.</summary>
    Attention,

    /// <summary>A feed-forward layer, gated or not.</summary>
    FeedForward,
}
