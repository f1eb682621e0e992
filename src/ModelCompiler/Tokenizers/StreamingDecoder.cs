using System.Runtime.InteropServices;
using System.Text;

namespace ModelCompiler.Tokenizers;

/// <summary>Turns tokens into text as they are generated: a character appears when all of its bytes are there.</summary>
public sealed class StreamingDecoder
{
    private readonly Tokenizer _tokenizer;
    private readonly Decoder _utf8 = Encoding.UTF8.GetDecoder();
    private readonly List<int> _ids = [];
    private int _bytesDone;

    /// <summary>Starts a text.</summary>
    /// <param name="tokenizer">The tokenizer of the ids.</param>
    /// <param name="prompt">Tokens before the first; their text is not returned.</param>
    /// <exception cref="TokenizerException">An id is outside the vocabulary.</exception>
    public StreamingDecoder(Tokenizer tokenizer, ReadOnlySpan<int> prompt = default)
    {
        _tokenizer = tokenizer;
        foreach (int id in prompt)
        {
            Next(id);
        }
    }

    /// <summary>The text that one more token completes; often a word, sometimes nothing. A special token has no text.</summary>
    /// <exception cref="TokenizerException">The id is outside the vocabulary.</exception>
    public string Next(int id)
    {
        if (_tokenizer.Spelling(id) is not null)
        {
            return "";
        }

        // What a token means may depend on those before it: a leading space is dropped at the start of a text only.
        _ids.Add(id);
        byte[] bytes = _tokenizer.DecodeBytes(CollectionsMarshal.AsSpan(_ids));
        ReadOnlySpan<byte> added = bytes.AsSpan(_bytesDone);
        _bytesDone = bytes.Length;
        Span<char> characters = new char[_utf8.GetCharCount(added, flush: false)];
        _utf8.GetChars(added, characters, flush: false);
        return characters.ToString();
    }

    /// <summary>What is left at the end: U+FFFD for a character whose bytes did not all come, else nothing.</summary>
    public string End()
    {
        Span<char> characters = stackalloc char[2];
        return characters[.._utf8.GetChars([], characters, flush: true)].ToString();
    }
}
