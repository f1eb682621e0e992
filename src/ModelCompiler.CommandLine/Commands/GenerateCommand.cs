using System.CommandLine;
using System.Diagnostics;
using ModelCompiler.CommandLine.Files;
using ModelCompiler.CommandLine.Options;
using ModelCompiler.CommandLine.Results;
using ModelCompiler.CommandLine.Runs;
using ModelCompiler.CommandLine.Terminal;
using ModelCompiler.Generation;
using ModelCompiler.HuggingFace.Config;
using ModelCompiler.HuggingFace.Tokenizers;
using ModelCompiler.Models;
using ModelCompiler.Tokenizers;
using Spectre.Console;

namespace ModelCompiler.CommandLine.Commands;

/// <summary><c>mc generate</c>: continues a text.</summary>
internal sealed class GenerateCommand : HostCommand
{
    private readonly Argument<string> _model = ModelArgument.Create();
    private readonly WeightOptions _weights = new();
    private readonly Option<string> _prompt = new("--prompt") { Description = "The text to continue", Required = true };
    private readonly Option<bool> _specialTokens = new("--special-tokens") { Description = "Parse special tokens in the prompt; default: plain text, as in the rows of training data" };
    private readonly Option<double> _temperature = NumberOptions.Real("--temperature", "0: always the likeliest token", 0, 0, 100);
    private readonly Option<double> _topP = NumberOptions.Real("--top-p", "Draw only from the likeliest tokens that have this probability together", 1, 1e-6, 1);
    private readonly Option<int> _maximum = NumberOptions.Whole("--max-tokens", "The most tokens to make", 128);

    public GenerateCommand(Session session)
        : base("generate", "Continue a text", session)
    {
        Add(_model);
        _weights.AddTo(this, withAdapter: true);
        foreach (Option option in (ReadOnlySpan<Option>)[_prompt, _specialTokens, _temperature, _topP, _maximum])
        {
            Add(option);
        }
    }

    protected override int Run(ParseResult arguments, CancellationToken cancellation)
    {
        ModelEntry entry = ModelArgument.Find(arguments.GetRequiredValue(_model));
        string basePath = _weights.Base(arguments, entry.Tables);
        Tokenizer tokenizer = PretrainedTokenizer.Load(basePath);
        string prompt = arguments.GetRequiredValue(_prompt);
        int[] ids = Prompt(tokenizer, new TextPart(prompt, arguments.GetValue(_specialTokens)));
        int maximum = arguments.GetValue(_maximum);
        ulong seed = (ulong)arguments.GetValue(CommonOptions.Seed);
        string? adapter = _weights.Adapter(arguments, entry.Tables);
        using TransformerModel model = BoundModel.ForGeneration(arguments, entry, (int)Math.Min(entry.Tables.Context, (long)ids.Length + maximum), adapter);
        BoundModel.Load(model, basePath, adapter, seed, WeightOptions.Ignored(arguments));

        var options = new GenerationOptions
        {
            MaximumTokens = maximum,
            Temperature = arguments.GetValue(_temperature),
            TopP = arguments.GetValue(_topP),
            Seed = seed,
            EndOfText = EndTokens.Read(basePath, tokenizer, entry.Tables.Vocabulary),
        };
        var decoder = new StreamingDecoder(tokenizer, ids);
        var text = new System.Text.StringBuilder();
        long start = Stopwatch.GetTimestamp();
        GenerationResult generated = new TextGenerator(model).Generate(
            ids,
            options,
            id =>
            {
                string piece = decoder.Next(id);
                text.Append(piece);
                Session.Stream(piece);
            },
            cancellation);
        string rest = decoder.End();
        text.Append(rest);
        Session.Stream(rest);
        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        var result = new GenerateResult(
            entry.Tables.Name, prompt, text.ToString(), generated.Tokens.Count, generated.Reason.ToString(), generated.Tokens.Count / seconds);
        Session.Emit(result, HostJson.Default.GenerateResult, console => console.WriteLine());
        Session.Error.WriteLine($"{result.Tokens} tokens, {Tables.Number(result.TokensPerSecond, 1)} a second");
        return ExitCode.Done;
    }

    /// <summary>The prompt's ids after the tokenizer's begin mark; an empty one without that begins after an end-of-text mark, as GPT-2 was trained.</summary>
    private int[] Prompt(Tokenizer tokenizer, TextPart prompt)
    {
        var marks = new TextMarks(tokenizer);
        int[] ids = marks.Encode([prompt], begins: true, ends: false);
        MarkNotes.Say(Session, "the prompt", marks);
        return ids.Length == 0 && tokenizer.EosToken is { } end ? [end] : ids;
    }
}
