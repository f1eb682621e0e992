using System.Globalization;
using ModelCompiler.CommandLine.Results;

namespace ModelCompiler.CommandLine.Quickstart;

/// <summary>README.md of a pretrained base: what it is, how it was made, what was measured.</summary>
internal sealed record ModelCard(PretrainResult Result, PretrainChoices Choices, string Source, int Threads, int Summaries)
{
    /// <summary>The card.</summary>
    public string Text() => string.Create(CultureInfo.InvariantCulture, $"""
        # {Result.Model}: base model of the quickstart

        A Llama of {Result.Parameters:N0} parameters in bfloat16 with a byte-level BPE of its own, made by this repository's trainer from nothing but
        summaries of .NET reference documentation. It continues such prose and nothing else; `mc quickstart` fine-tunes it.

        Made by

            dotnet run -c Release --project src/ModelCompiler.Cli -- pretrain --model {Choices.Model} --out models/quickstart --steps {Result.Steps} --batch {Choices.Batch} --learning-rate {Choices.LearningRate} --weight-decay {Choices.WeightDecay} --seed {Choices.Seed} --threads {Threads}{(Choices.Members is { } members ? $" --members {members}" : "")}

        | | |
        | --- | --- |
        | data | {Source} |
        | learned from | {Summaries:N0} different summaries of the training side, end marks between; neither tokenizer nor weights have seen the held-out side |
        | steps | {Result.Steps:N0}, of which step {Result.BestStep:N0} is kept: it has the lowest loss, {Result.ValidationLoss:F4}, on one summary in a hundred of the training side, left out for that |
        | positions trained on | {Result.Tokens:N0} |
        | time | {Result.Seconds / 60:F1} minutes, {Result.TokensPerSecond:N0} tokens/s on {Threads} threads |
        | held-out prose | {Result.BitsPerByte:F4} bits per byte (end marks paid for, not counted as bytes), with the weights as stored here |

        """);
}
