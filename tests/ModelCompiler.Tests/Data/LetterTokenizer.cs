using System.Text;
using ModelCompiler.Tokenizers;

namespace ModelCompiler.Tests.Data;

/// <summary>One token a letter, so that expected ids can be read off: a = 3, b = 4, ...; 1 begins and 2 ends a text.</summary>
internal class LetterTokenizer(bool marks = true) : Tokenizer
{
    public override int VocabularySize => 29;

    public override int? BosToken => marks ? 1 : null;

    public override int? EosToken => marks ? 2 : null;

    public override int[] Encode(IReadOnlyList<TextPart> parts) => [.. parts.SelectMany(p => p.Text).Select(c => c - 'a' + 3)];

    public override byte[] DecodeBytes(ReadOnlySpan<int> ids) => Encoding.ASCII.GetBytes([.. ids.ToArray().Select(i => (char)(i + 'a' - 3))]);
}
