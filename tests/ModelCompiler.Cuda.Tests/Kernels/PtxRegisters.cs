using System.Collections;
using System.Text.RegularExpressions;

namespace ModelCompiler.Cuda.Tests.Kernels;

/// <summary>
/// How many registers of 32 bits a kernel needs, as far as its PTX tells: the virtual ones that are live together. The assembler joins copies,
/// reads parameters again and orders instructions anew, so this is no promise; but what is far over it must go to memory.
/// </summary>
internal static partial class PtxRegisters
{
    /// <summary>What a thread can have.</summary>
    public const int OfThread = 255;

    /// <summary>The most registers that are live at one instruction, for each kernel.</summary>
    public static Dictionary<string, int> MostLive(string ptx) =>
        Entries().Matches(ptx).ToDictionary(entry => entry.Groups[1].Value, entry => MostLiveIn(entry.Groups[2].Value));

    private static int MostLiveIn(string body)
    {
        var labels = new Dictionary<string, int>();
        var lines = new List<string>();
        foreach (string line in body.Split('\n').Select(line => Comments().Replace(line, "").Trim()))
        {
            if (Labels().Match(line) is { Success: true } label)
            {
                labels[label.Groups[1].Value] = lines.Count;
            }
            else if (line.Length > 1 && line[0] != '.')
            {
                lines.Add(line);
            }
        }

        var numbers = new Dictionary<string, int>();
        Instruction[] instructions = [.. lines.Select((line, i) => Parse(line, i, lines.Count, labels, numbers))];
        int[] weights = [.. numbers.OrderBy(pair => pair.Value).Select(pair => pair.Key[1..2] switch { "p" => 0, _ => pair.Key[2] == 'd' ? 2 : 1 })];
        BitArray[] live = Liveness(instructions, numbers.Count);
        return live.Max(registers => Enumerable.Range(0, weights.Length).Sum(i => registers[i] ? weights[i] : 0));
    }

    /// <summary>What is live before each instruction: backwards over the text until nothing changes.</summary>
    private static BitArray[] Liveness(Instruction[] instructions, int registers)
    {
        BitArray[] live = [.. instructions.Select(_ => new BitArray(registers))];
        bool changed = true;
        while (changed)
        {
            changed = false;
            for (int i = instructions.Length - 1; i >= 0; i--)
            {
                var now = new BitArray(registers);
                foreach (int next in instructions[i].Next)
                {
                    now.Or(live[next]);
                }

                foreach (int written in instructions[i].Written)
                {
                    now[written] = false;
                }

                foreach (int read in instructions[i].Read)
                {
                    now[read] = true;
                }

                if (((BitArray)now.Clone()).Xor(live[i]).HasAnySet())
                {
                    live[i] = now;
                    changed = true;
                }
            }
        }

        return live;
    }

    private static Instruction Parse(string line, int index, int count, Dictionary<string, int> labels, Dictionary<string, int> numbers)
    {
        int[] Numbers(IEnumerable<Match> registers) =>
            [.. registers.Select(match => numbers.TryGetValue(match.Value, out int known) ? known : numbers[match.Value] = numbers.Count)];

        Match predicate = Predicates().Match(line);
        string text = line[predicate.Length..];
        string operation = text.Split(' ', '\t')[0];
        Match[] all = Registers().Matches(text).ToArray();

        // mma reads the sums that it writes; PTX in braces writes what its last instruction does; a vector is written as a whole.
        int written = operation.Split('.')[0] switch
        {
            "st" or "bra" or "ret" or "bar" or "cp" => 0,
            "mma" or "ldmatrix" => 4,
            _ => Vectors().Match(text) is { Success: true } vector ? Registers().Count(vector.Value) : text.Split(',')[0].Contains('|') ? 2 : 1,
        };
        Match[] targets = operation == "{" ? all[^1..] : all[..Math.Min(written, all.Length)];
        Match[] sources = operation.StartsWith("mma", StringComparison.Ordinal) ? all : [.. all.Except(targets)];
        Match branch = Branches().Match(text);
        bool falls = predicate.Success || !(branch.Success || operation.StartsWith("ret", StringComparison.Ordinal));
        IEnumerable<int> next = branch.Success ? [labels[branch.Groups[1].Value]] : [];
        return new Instruction(
            Numbers(targets), Numbers(sources.Concat(Registers().Matches(predicate.Value))), [.. next.Concat(falls ? [index + 1] : []).Where(i => i < count)]);
    }

    [GeneratedRegex(@"\.entry (\w+)\(.*?\n\{\n(.*?)\n\}", RegexOptions.Singleline)]
    private static partial Regex Entries();

    [GeneratedRegex(@"//.*")]
    private static partial Regex Comments();

    [GeneratedRegex(@"^(\$\w+):$")]
    private static partial Regex Labels();

    [GeneratedRegex(@"^@!?%p\d+\s+")]
    private static partial Regex Predicates();

    [GeneratedRegex(@"^\w[\w.]*\s+\{[^}]*\}")]
    private static partial Regex Vectors();

    [GeneratedRegex(@"%(?:rd|fd|rs|r|f|p)\d+")]
    private static partial Regex Registers();

    [GeneratedRegex(@"^bra(?:\.uni)?\s+(\$\w+)")]
    private static partial Regex Branches();

    /// <summary>An instruction: registers that it writes and reads, and the instructions that may come next.</summary>
    private readonly record struct Instruction(int[] Written, int[] Read, int[] Next);
}
