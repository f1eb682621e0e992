using ModelCompiler.HuggingFace.Config;
using ModelCompiler.Reading;
using ModelCompiler.Safetensors;
using ModelCompiler.Tokenizers;

namespace ModelCompiler.HuggingFace.Config;

/// <summary>The tokens that end a generated text: a model's files may name several, and in several places.</summary>
public static class EndTokens
{
    private const string Key = "eos_token_id";
    private static readonly string[] s_files = [ModelConfiguration.FileName, "generation_config.json"];

    /// <summary>The tokenizer's end-of-text token and the eos_token_id, one or a list, of config.json and generation_config.json.</summary>
    /// <param name="folder">The model's folder.</param>
    /// <param name="tokenizer">The model's tokenizer.</param>
    /// <param name="vocabulary">How many tokens the model has.</param>
    /// <exception cref="CheckpointException">A file cannot be read, or an id is none or is outside the vocabulary.</exception>
    public static IReadOnlyList<int> Read(string folder, Tokenizer tokenizer, int vocabulary) =>
    [
        .. (tokenizer.EosToken is { } end ? [end] : Array.Empty<int>())
            .Concat(s_files.Select(name => Path.Combine(folder, name)).Where(File.Exists).SelectMany(path => Ids(path, vocabulary)))
            .Distinct(),
    ];

    private static IEnumerable<int> Ids(string path, int vocabulary)
    {
        JsonValue? value = UserFile.ReadObject(path, CheckpointException.In).Value(Key);
        IEnumerable<JsonValue> values = value is null ? [] : value.IsList ? value.Items() : [value];
        return values.Select(id => id.AsInteger("a token id or a list of them") is >= 0 and int token
            ? token < vocabulary ? token : throw id.Error($"is {token}, outside the model's vocabulary of {vocabulary}; the file belongs to another model")
            : throw id.Wrong("a token id or a list of them"));
    }
}
