using System.Runtime.InteropServices;
using System.Text;
using ModelCompiler.HuggingFace.Tokenizers;
using ModelCompiler.Tokenizers;

namespace ModelCompiler.CommandLine.Quickstart;

/// <summary>
/// Learns a byte-level BPE (Sennrich et al. 2016 over bytes): the most frequent pair of neighbors becomes a token, again and again.
/// Pair counts are kept up to date word by word, so each merge costs what it changes. The same texts give the same tokenizer, in
/// whatever order they come.
/// </summary>
public sealed class BpeTrainer
{
    private const int MinimumPairCount = 2;

    private readonly PreTokenizer _preTokenizer = new([SplitStep.Isolated(SplitPatterns.Gpt2)], nameof(BpeTrainer));
    private readonly Dictionary<string, long> _wordCounts = new(StringComparer.Ordinal);

    private readonly List<(int[] Ids, int Length, long Count)> _words = [];
    private readonly Dictionary<long, long> _pairCounts = [];
    private readonly Dictionary<long, List<int>> _wordsOfPair = [];
    private readonly PriorityQueue<long, (long NegatedCount, long Pair)> _queue = new();

    /// <summary>Learns a tokenizer.</summary>
    /// <param name="texts">What to learn from; read once.</param>
    /// <param name="vocabularySize">Tokens in all: special tokens, 256 bytes and merges. Fewer if no pair occurs twice any more.</param>
    /// <param name="specialTokens">Tokens that are not text, such as "&lt;|endoftext|&gt;"; they get the first ids.</param>
    /// <exception cref="TokenizerException">The size does not hold the bytes and special tokens, or there is no text.</exception>
    public static ByteLevelBpe Train(IEnumerable<string> texts, int vocabularySize, params IReadOnlyList<string> specialTokens)
    {
        if (vocabularySize < 256 + specialTokens.Count)
        {
            throw new TokenizerException($"a vocabulary of {vocabularySize} cannot hold 256 bytes and {specialTokens.Count} special tokens; ask for more");
        }

        if (specialTokens.Distinct().Count() != specialTokens.Count || specialTokens.Any(string.IsNullOrEmpty))
        {
            throw new TokenizerException("special tokens must differ and must not be empty");
        }

        var trainer = new BpeTrainer();
        foreach (string text in texts)
        {
            trainer.CountWords(text);
        }

        if (trainer._wordCounts.Count == 0)
        {
            throw new TokenizerException("there is no text to learn a tokenizer from");
        }

        return trainer.Learn(vocabularySize, specialTokens);
    }

    private static long Key(int left, int right) => ((long)left << 32) | (uint)right;

    private void CountWords(string text)
    {
        Dictionary<string, long>.AlternateLookup<ReadOnlySpan<char>> counts = _wordCounts.GetAlternateLookup<ReadOnlySpan<char>>();
        foreach (Range range in _preTokenizer.Split(text))
        {
            CollectionsMarshal.GetValueRefOrAddDefault(counts, text.AsSpan(range), out _)++;
        }
    }

    private ByteLevelBpe Learn(int vocabularySize, IReadOnlyList<string> specialTokens)
    {
        var vocabulary = new Dictionary<string, int>(StringComparer.Ordinal);
        var tokens = new List<string>();
        void Add(string token)
        {
            vocabulary.Add(token, tokens.Count);
            tokens.Add(token);
        }

        foreach (string token in specialTokens)
        {
            Add(token);
        }

        // As Hugging Face does, bytes are in the order of their characters.
        var byteIds = new int[256];
        foreach (int value in Enumerable.Range(0, 256).OrderBy(b => ByteAlphabet.Character((byte)b)))
        {
            byteIds[value] = tokens.Count;
            Add(ByteAlphabet.Character((byte)value).ToString());
        }

        CountPairs(byteIds);
        var merges = new List<(string, string)>();
        while (tokens.Count < vocabularySize && MostFrequent() is { } pair)
        {
            (int left, int right) = ((int)(pair >> 32), (int)pair);
            string merged = tokens[left] + tokens[right];
            merges.Add((tokens[left], tokens[right]));
            if (!vocabulary.ContainsKey(merged))
            {
                Add(merged);
            }

            MergeEverywhere(left, right, vocabulary[merged]);
        }

        AddedToken[] added = [.. specialTokens.Select((token, id) => new AddedToken(id, token, Special: true))];
        return new ByteLevelBpe(new BpeDefinition { Source = nameof(BpeTrainer), Vocabulary = vocabulary, Merges = merges, AddedTokens = added });
    }

    private void CountPairs(int[] byteIds)
    {
        foreach ((string word, long count) in _wordCounts)
        {
            byte[] bytes = Encoding.UTF8.GetBytes(word);
            int[] ids = Array.ConvertAll(bytes, b => byteIds[b]);
            for (int i = 0; i + 1 < ids.Length; i++)
            {
                Change(Key(ids[i], ids[i + 1]), count, _words.Count);
            }

            _words.Add((ids, ids.Length, count));
        }

        foreach ((long pair, long count) in _pairCounts)
        {
            _queue.Enqueue(pair, (-count, pair));
        }
    }

    /// <summary>The pair that occurs most; of equals the one of the smallest ids.</summary>
    private long? MostFrequent()
    {
        while (_queue.TryDequeue(out long pair, out (long NegatedCount, long Pair) priority))
        {
            long count = _pairCounts.GetValueOrDefault(pair);
            if (count == -priority.NegatedCount)
            {
                return count >= MinimumPairCount ? pair : null;
            }

            // It occurs less often than when it was queued: back with what it has now.
            if (count > 0)
            {
                _queue.Enqueue(pair, (-count, pair));
            }
        }

        return null;
    }

    private void MergeEverywhere(int left, int right, int merged)
    {
        long pair = Key(left, right);
        List<int> words = _wordsOfPair[pair];
        _wordsOfPair.Remove(pair);
        var grown = new HashSet<long>();
        foreach (int index in words)
        {
            Merge(index, left, right, merged, grown);
        }

        _pairCounts.Remove(pair);
        foreach (long other in grown)
        {
            if (_pairCounts.TryGetValue(other, out long count))
            {
                _queue.Enqueue(other, (-count, other));
            }
        }
    }

    private void Merge(int index, int left, int right, int merged, HashSet<long> grown)
    {
        ref (int[] Ids, int Length, long Count) word = ref CollectionsMarshal.AsSpan(_words)[index];
        Span<int> ids = word.Ids.AsSpan(0, word.Length);
        if (!Contains(ids, left, right))
        {
            return;
        }

        // Words are short: taking all pairs of the old out and all of the new in is simpler than following each change, and
        // cancels exactly.
        for (int i = 0; i + 1 < ids.Length; i++)
        {
            Change(Key(ids[i], ids[i + 1]), -word.Count, -1);
        }

        int length = 0;
        for (int i = 0; i < ids.Length; i++)
        {
            bool both = i + 1 < ids.Length && ids[i] == left && ids[i + 1] == right;
            ids[length++] = both ? merged : ids[i];
            i += both ? 1 : 0;
        }

        word.Length = length;
        for (int i = 0; i + 1 < length; i++)
        {
            long pair = Key(ids[i], ids[i + 1]);
            bool isNew = ids[i] == merged || ids[i + 1] == merged;
            Change(pair, word.Count, isNew ? index : -1);
            if (isNew)
            {
                grown.Add(pair);
            }
        }
    }

    private static bool Contains(ReadOnlySpan<int> ids, int left, int right)
    {
        for (int i = 0; i + 1 < ids.Length; i++)
        {
            if (ids[i] == left && ids[i + 1] == right)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Counts a pair; where <paramref name="word"/> is not -1, the word now holds it.</summary>
    private void Change(long pair, long count, int word)
    {
        CollectionsMarshal.GetValueRefOrAddDefault(_pairCounts, pair, out _) += count;
        if (word >= 0)
        {
            ref List<int>? words = ref CollectionsMarshal.GetValueRefOrAddDefault(_wordsOfPair, pair, out _);
            words ??= [];
            if (words.Count == 0 || words[^1] != word)
            {
                words.Add(word);
            }
        }
    }
}
