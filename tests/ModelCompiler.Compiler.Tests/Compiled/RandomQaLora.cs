using ModelCompiler.Compiler.Description;
using Targets = ModelCompiler.Projections;

namespace ModelCompiler.Compiler.Tests.Compiled;

/// <summary>Random descriptions whose projections carry QA-LoRA, each width of inputs with a random divisor as the size of its groups.</summary>
public static class RandomQaLora
{
    /// <summary>The first descriptions of a seed; the same for ever.</summary>
    public static ModelSpec[] Take(int count, ulong seed)
    {
        var random = new Random((int)seed);
        return [.. RandomDescriptions.Take(count, seed).Select(spec => spec with { Recipe = new RecipeSpec("Base", default, new EquatableArray<AdapterSpec>(Adapters(spec, random)), default) })];
    }

    private static List<AdapterSpec> Adapters(ModelSpec spec, Random random)
    {
        AttentionSpec attention = spec.Block.Sublayers.Select(s => s.Attention).OfType<AttentionSpec>().Single();
        FeedForwardSpec feedForward = spec.Block.Sublayers.Select(s => s.FeedForward).OfType<FeedForwardSpec>().Single();
        Targets gate = feedForward.Kind == FeedForwardKind.Gelu ? Targets.None : Targets.Gate;
        int keys = attention.Shape.KeyValueWidth;
        (Targets Targets, int In, int Out)[] all =
        [
            (Targets.Query | Targets.Key | Targets.Value, spec.Width, keys),
            (Targets.Output, attention.Shape.Width, spec.Width),
            (Targets.Up | gate, spec.Width, feedForward.Hidden),
            (Targets.Down, feedForward.Hidden, spec.Width),
            (Targets.Head, spec.Width, spec.Vocabulary),
        ];
        var adapters = new List<AdapterSpec>();
        while (adapters.Count == 0)
        {
            foreach ((Targets targets, int inputs, int outputs) in all.Where(_ => random.Next(3) > 0))
            {
                int[] sizes = [.. Enumerable.Range(1, inputs).Where(size => inputs % size == 0)];
                int size = sizes[random.Next(sizes.Length)];
                int rank = 1 + random.Next(Math.Min(inputs / size, outputs));
                double dropout = random.Next(3) == 0 ? 0.25 : 0;
                adapters.Add(new AdapterSpec("QaLora", targets, targets == Targets.Head ? 0 : random.Next(spec.Block.Repeat), new EquatableArray<ArgumentSpec>(
                [
                    new ArgumentSpec("Rank", rank), new ArgumentSpec("Alpha", 3), new ArgumentSpec("Dropout", dropout), new ArgumentSpec("GroupSize", size),
                ])));
            }
        }

        return adapters;
    }
}
