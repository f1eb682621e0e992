namespace ModelCompiler.Generation;

/// <summary>How to choose the next token, and when to stop.</summary>
public sealed record GenerationOptions
{
    /// <summary>The most tokens to make.</summary>
    public int MaximumTokens { get; init; } = 128;

    /// <summary>Logits are divided by this before the softmax; 0: always the most likely token.</summary>
    public double Temperature { get; init; }

    /// <summary>Only the most likely tokens that together have this probability are drawn from (Holtzman et al. 2020); 1: all.</summary>
    public double TopP { get; init; } = 1;

    /// <summary>Seed of the draws.</summary>
    public ulong Seed { get; init; }

    /// <summary>Tokens that end the text.</summary>
    public IReadOnlyList<int> EndOfText { get; init; } = [];

    /// <summary>Checks the ranges.</summary>
    /// <exception cref="ArgumentException">A choice is out of range; it is named.</exception>
    internal void Validate()
    {
        if (MaximumTokens < 0)
        {
            throw new ArgumentException("the most tokens to make must be at least 0");
        }

        if (!double.IsFinite(Temperature) || Temperature < 0)
        {
            throw new ArgumentException("the temperature must be at least 0");
        }

        if (!(TopP > 0 && TopP <= 1))
        {
            throw new ArgumentException("top-p must be above 0 and at most 1");
        }
    }
}

/// <summary>Why a text has ended.</summary>
public enum StopReason
{
    /// <summary>The model chose an end-of-text token.</summary>
    EndOfText,

    /// <summary>As many tokens were made as asked for.</summary>
    MaximumTokens,

    /// <summary>The plan's cache is full.</summary>
    Capacity,
}

/// <summary>A continuation.</summary>
/// <param name="Tokens">The new tokens.</param>
/// <param name="Reason">Why there are no more.</param>
public sealed record GenerationResult(IReadOnlyList<int> Tokens, StopReason Reason);

/// <summary>Text cannot be generated; the message says why and what to do.</summary>
public sealed class GenerationException : ModelCompilerException
{
    /// <summary>Creates the error.</summary>
    /// <param name="message">What is wrong and what to do.</param>
    public GenerationException(string message)
        : base(message)
    {
    }
}
