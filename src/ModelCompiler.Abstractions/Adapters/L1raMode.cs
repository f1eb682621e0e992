namespace ModelCompiler;

/// <summary>How the gates of L1RA are driven to zero.</summary>
public enum L1raMode
{
    /// <summary>
    /// A proximal step of the L1 norm after Adam's: c = max(c − rate · λ, 0). Gates that nothing holds up reach 0 and are pruned at or
    /// below 10⁻⁶.
    /// </summary>
    Proximal,

    /// <summary>
    /// The optimizer of the published code, which leaves gates within rate · λ of 0 where they are; gates below 10⁻¹⁰ are pruned, so that
    /// one that rests in that zone never is. The code's later branch raised the threshold:
    /// <see cref="Adapters.L1raOptions.PruneThreshold"/>.
    /// </summary>
    AdamE,
}
