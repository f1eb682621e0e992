using System.Globalization;
using System.Text;

namespace ModelCompiler.HuggingFace.Tokenizers;

/// <summary>
/// Unicode normalization form C. .NET's own depends on a native library and does nothing where globalization is invariant, and ids
/// must not depend on how the application was built.
/// </summary>
internal static class CanonicalComposition
{
    private const int HangulFirst = 0xAC00;
    private const int HangulCount = 11_172;
    private const int LeadFirst = 0x1100;
    private const int LeadCount = 19;
    private const int VowelFirst = 0x1161;
    private const int VowelCount = 21;
    private const int TailFirst = 0x11A7;
    private const int TailCount = 28;

    /// <summary>Below this, nothing decomposes into something else and composes differently, and nothing combines.</summary>
    private const char FirstThatMayChange = '\u0300';

    private static readonly Dictionary<int, int[]> s_decompositions = [];
    private static readonly Dictionary<(int, int), int> s_compositions = [];
    private static readonly Dictionary<int, int> s_classes = [];

    static CanonicalComposition()
    {
        using Stream stream = typeof(CanonicalComposition).Assembly.GetManifestResourceStream("canonical.txt")!;
        using var reader = new StreamReader(stream);
        while (reader.ReadLine() is { } line)
        {
            Read(line.Split(' '));
        }
    }

    /// <summary>The text with characters composed where they can be.</summary>
    public static string Of(string text)
    {
        if (!text.AsSpan().ContainsAnyInRange(FirstThatMayChange, char.MaxValue))
        {
            return text;
        }

        var characters = new List<int>(text.Length);
        foreach (Rune rune in text.EnumerateRunes())
        {
            Decompose(rune.Value, characters);
        }

        Order(characters);
        Compose(characters);
        var composed = new StringBuilder(text.Length);
        foreach (int character in characters)
        {
            composed.Append(new Rune(character).ToString());
        }

        return composed.ToString();
    }

    private static void Read(string[] fields)
    {
        static int Hex(string field) => int.Parse(field, NumberStyles.HexNumber, CultureInfo.InvariantCulture);

        if (fields[0] == "C")
        {
            for (int character = Hex(fields[2]); character <= Hex(fields[3]); character++)
            {
                s_classes[character] = int.Parse(fields[1], CultureInfo.InvariantCulture);
            }
        }
        else if (fields[0] == "D")
        {
            bool excluded = fields[^1] == "!";
            int[] parts = [.. fields[2..(excluded ? ^1 : ^0)].Select(Hex)];
            s_decompositions[Hex(fields[1])] = parts;
            if (!excluded)
            {
                s_compositions[(parts[0], parts[1])] = Hex(fields[1]);
            }
        }
    }

    private static void Decompose(int character, List<int> into)
    {
        int syllable = character - HangulFirst;
        if (syllable is >= 0 and < HangulCount)
        {
            into.Add(LeadFirst + syllable / (VowelCount * TailCount));
            into.Add(VowelFirst + syllable / TailCount % VowelCount);
            if (syllable % TailCount > 0)
            {
                into.Add(TailFirst + syllable % TailCount);
            }
        }
        else if (s_decompositions.TryGetValue(character, out int[]? parts))
        {
            foreach (int part in parts)
            {
                Decompose(part, into);
            }
        }
        else
        {
            into.Add(character);
        }
    }

    /// <summary>Sorts each run of combining characters by class, keeping the order within a class.</summary>
    private static void Order(List<int> characters)
    {
        for (int i = 1; i < characters.Count; i++)
        {
            int character = characters[i];
            int rank = Class(character);
            int j = i;
            while (rank > 0 && j > 0 && Class(characters[j - 1]) > rank)
            {
                characters[j] = characters[--j];
            }

            characters[j] = character;
        }
    }

    private static void Compose(List<int> characters)
    {
        int starter = -1;
        int kept = 0;
        int previousClass = 0;
        for (int i = 0; i < characters.Count; i++)
        {
            int character = characters[i];
            int rank = Class(character);
            bool blocked = starter != kept - 1 && previousClass >= rank;
            if (starter >= 0 && !blocked && Pair(characters[starter], character) is { } composite)
            {
                characters[starter] = composite;
                continue;
            }

            if (rank == 0)
            {
                starter = kept;
            }

            previousClass = rank;
            characters[kept++] = character;
        }

        characters.RemoveRange(kept, characters.Count - kept);
    }

    private static int? Pair(int first, int second)
    {
        if (first - LeadFirst is >= 0 and < LeadCount && second - VowelFirst is >= 0 and < VowelCount)
        {
            return HangulFirst + ((first - LeadFirst) * VowelCount + (second - VowelFirst)) * TailCount;
        }

        if (first - HangulFirst is >= 0 and < HangulCount && (first - HangulFirst) % TailCount == 0 && second - TailFirst is > 0 and < TailCount)
        {
            return first + second - TailFirst;
        }

        return s_compositions.TryGetValue((first, second), out int composite) ? composite : null;
    }

    private static int Class(int character) => s_classes.GetValueOrDefault(character);
}
