using System.Text.Encodings.Web;
using System.Text.Json;

namespace ModelCompiler.HuggingFace.Tokenizers;

/// <summary>Writes the Hugging Face tokenizer.json of a byte-level BPE.</summary>
internal static class TokenizerJsonWriter
{
    public static byte[] Write(BpeDefinition definition)
    {
        using var buffer = new MemoryStream();
        var options = new JsonWriterOptions { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
        using (var json = new Utf8JsonWriter(buffer, options))
        {
            json.WriteStartObject();
            json.WriteString("version", "1.0");
            json.WriteNull("truncation");
            json.WriteNull("padding");
            WriteAddedTokens(json, definition.AddedTokens);
            WriteNormalizer(json, definition);
            WritePreTokenizer(json, definition);
            WritePostProcessor(json, definition);
            WriteByteLevel(json, "decoder", prefixSpace: false, useRegex: true);
            WriteModel(json, definition);
            json.WriteEndObject();
        }

        return buffer.ToArray();
    }

    private static void WriteAddedTokens(Utf8JsonWriter json, IReadOnlyList<AddedToken> tokens)
    {
        json.WriteStartArray("added_tokens");
        foreach (AddedToken token in tokens.OrderBy(t => t.Id))
        {
            json.WriteStartObject();
            json.WriteNumber("id", token.Id);
            json.WriteString("content", token.Content);
            json.WriteBoolean("single_word", token.SingleWord);
            json.WriteBoolean("lstrip", token.StripLeft);
            json.WriteBoolean("rstrip", token.StripRight);
            json.WriteBoolean("normalized", token.Normalized);
            json.WriteBoolean("special", token.Special);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteNormalizer(Utf8JsonWriter json, BpeDefinition definition)
    {
        if (!definition.ComposesCanonically)
        {
            json.WriteNull("normalizer");
            return;
        }

        json.WriteStartObject("normalizer");
        json.WriteString("type", "NFC");
        json.WriteEndObject();
    }

    private static void WritePreTokenizer(Utf8JsonWriter json, BpeDefinition definition)
    {
        if (definition.Splits is [{ Pattern: SplitPatterns.Gpt2, Behavior: SplitBehavior.Isolated }])
        {
            WriteByteLevel(json, "pre_tokenizer", definition.AddsPrefixSpace, useRegex: true);
            return;
        }

        json.WriteStartObject("pre_tokenizer");
        json.WriteString("type", "Sequence");
        json.WriteStartArray("pretokenizers");
        if (definition.AddsPrefixSpace)
        {
            WriteByteLevel(json, null, prefixSpace: true, useRegex: false);
        }

        foreach (SplitStep step in definition.Splits)
        {
            json.WriteStartObject();
            json.WriteString("type", "Split");
            json.WriteStartObject("pattern");
            json.WriteString("Regex", step.Pattern);
            json.WriteEndObject();
            json.WriteString("behavior", step.Behavior.ToString());
            json.WriteBoolean("invert", step.Inverted);
            json.WriteEndObject();
        }

        WriteByteLevel(json, null, prefixSpace: false, useRegex: false);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WritePostProcessor(Utf8JsonWriter json, BpeDefinition definition)
    {
        int[] marks = [.. definition.Prefix.Concat(definition.Suffix).Distinct()];
        if (marks.Length == 0)
        {
            WriteByteLevel(json, "post_processor", prefixSpace: false, useRegex: true);
            return;
        }

        void WritePieces(string name, bool pair)
        {
            json.WriteStartArray(name);
            foreach (string text in pair ? ["A", "B"] : new[] { "A" })
            {
                WriteMarks(definition.Prefix);
                json.WriteStartObject();
                json.WriteStartObject("Sequence");
                json.WriteString("id", text);
                json.WriteNumber("type_id", text == "A" ? 0 : 1);
                json.WriteEndObject();
                json.WriteEndObject();
                WriteMarks(definition.Suffix);
            }

            json.WriteEndArray();
        }

        void WriteMarks(int[] ids)
        {
            foreach (int id in ids)
            {
                json.WriteStartObject();
                json.WriteStartObject("SpecialToken");
                json.WriteString("id", definition.Spelling(id));
                json.WriteNumber("type_id", 0);
                json.WriteEndObject();
                json.WriteEndObject();
            }
        }

        json.WriteStartObject("post_processor");
        json.WriteString("type", "TemplateProcessing");
        WritePieces("single", pair: false);
        WritePieces("pair", pair: true);
        json.WriteStartObject("special_tokens");
        foreach (int id in marks)
        {
            json.WriteStartObject(definition.Spelling(id));
            json.WriteString("id", definition.Spelling(id));
            json.WriteStartArray("ids");
            json.WriteNumberValue(id);
            json.WriteEndArray();
            json.WriteStartArray("tokens");
            json.WriteStringValue(definition.Spelling(id));
            json.WriteEndArray();
            json.WriteEndObject();
        }

        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void WriteByteLevel(Utf8JsonWriter json, string? name, bool prefixSpace, bool useRegex)
    {
        if (name is null)
        {
            json.WriteStartObject();
        }
        else
        {
            json.WriteStartObject(name);
        }

        json.WriteString("type", "ByteLevel");
        json.WriteBoolean("add_prefix_space", prefixSpace);
        json.WriteBoolean("trim_offsets", false);
        json.WriteBoolean("use_regex", useRegex);
        json.WriteEndObject();
    }

    private static void WriteModel(Utf8JsonWriter json, BpeDefinition definition)
    {
        json.WriteStartObject("model");
        json.WriteString("type", "BPE");
        json.WriteNull("dropout");
        json.WriteNull("unk_token");
        json.WriteString("continuing_subword_prefix", "");
        json.WriteString("end_of_word_suffix", "");
        json.WriteBoolean("fuse_unk", false);
        json.WriteBoolean("byte_fallback", false);
        json.WriteBoolean("ignore_merges", definition.IgnoresMerges);
        json.WriteStartObject("vocab");
        foreach ((string token, int id) in definition.Vocabulary.OrderBy(t => t.Value))
        {
            json.WriteNumber(token, id);
        }

        json.WriteEndObject();
        json.WriteStartArray("merges");
        foreach ((string left, string right) in definition.Merges)
        {
            json.WriteStringValue($"{left} {right}");
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }
}
