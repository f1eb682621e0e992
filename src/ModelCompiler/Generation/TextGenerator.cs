using ModelCompiler.Backends;
using ModelCompiler.Models;
using ModelCompiler.Tensors;

namespace ModelCompiler.Generation;

/// <summary>Continues token sequences: the prompt in pieces as long as the plan allows, then one token at a time over the caches.</summary>
public sealed class TextGenerator
{
    private readonly TransformerModel _model;
    private readonly float[] _logits;
    private readonly int _capacity;

    /// <summary>Prepares generation.</summary>
    /// <param name="model">A model planned by <see cref="Model.ForGeneration{T}"/> with a batch of 1; the caller disposes it.</param>
    /// <exception cref="ArgumentException">The model is planned for training or for several sequences.</exception>
    public TextGenerator(TransformerModel model)
    {
        if (!model.Plan.Decodes || model.Plan.Sizes.Batch != 1)
        {
            throw new ArgumentException($"{model.Tables.Name} must be planned with ForGeneration and a batch of 1", nameof(model));
        }

        _model = model;
        _logits = new float[model.Tables.Vocabulary];
        _capacity = model.Plan.Sizes.CacheRows;
    }

    /// <summary>Continues a prompt.</summary>
    /// <param name="prompt">Token ids, at least one, at most the plan's capacity.</param>
    /// <param name="options">Length, sampling, end.</param>
    /// <param name="onToken">Told of every token as soon as it is chosen, the end-of-text token excepted.</param>
    /// <param name="cancellation">Stops between tokens.</param>
    /// <returns>The new tokens, without the end-of-text token, and why there are no more.</returns>
    /// <exception cref="GenerationException">The prompt is empty, longer than the capacity, or has an id outside the vocabulary; or logits are not finite.</exception>
    /// <exception cref="OperationCanceledException">It was canceled.</exception>
    public GenerationResult Generate(ReadOnlySpan<int> prompt, GenerationOptions options, Action<int>? onToken = null, CancellationToken cancellation = default)
    {
        options.Validate();
        Check(prompt);
        var sampler = new Sampler(options, _logits.Length);
        var tokens = new List<int>();
        int position = Prefill(prompt, cancellation);
        while (tokens.Count < options.MaximumTokens)
        {
            cancellation.ThrowIfCancellationRequested();
            int token = sampler.Choose(_logits);
            if (options.EndOfText.Contains(token))
            {
                return new GenerationResult(tokens, StopReason.EndOfText);
            }

            tokens.Add(token);
            onToken?.Invoke(token);
            if (position == _capacity)
            {
                return new GenerationResult(tokens, StopReason.Capacity);
            }

            if (tokens.Count < options.MaximumTokens)
            {
                Feed([token], position++);
            }
        }

        return new GenerationResult(tokens, StopReason.MaximumTokens);
    }

    private int Prefill(ReadOnlySpan<int> prompt, CancellationToken cancellation)
    {
        int longest = _model.Plan.Sizes.Sequence;
        for (int start = 0; start < prompt.Length; start += longest)
        {
            cancellation.ThrowIfCancellationRequested();
            Feed(prompt.Slice(start, Math.Min(longest, prompt.Length - start)), start);
        }

        return prompt.Length;
    }

    /// <summary>Runs tokens from a position on and reads the logits after the last of them.</summary>
    private void Feed(ReadOnlySpan<int> tokens, int position)
    {
        _model.BeginStep(new Step(1, tokens.Length, position), tokens);
        _model.Decode();
        Tensor logits = _model.Logits(tokens.Length - 1, 1);
        _model.Backend.Read(logits, _logits);
    }

    private void Check(ReadOnlySpan<int> prompt)
    {
        if (prompt.IsEmpty)
        {
            throw new GenerationException("the prompt has no tokens; begin with the tokenizer's begin-of-text token");
        }

        if (prompt.Length > _capacity)
        {
            throw new GenerationException($"the prompt has {prompt.Length} tokens, the plan's cache holds {_capacity}; shorten the prompt or plan a larger capacity (the context of {_model.Tables.Name} is {_model.Tables.Context})");
        }

        foreach (int id in prompt)
        {
            if ((uint)id >= (uint)_logits.Length)
            {
                throw new GenerationException($"token id {id} is outside the model's vocabulary of {_logits.Length}; use the tokenizer that belongs to the model");
            }
        }
    }
}
