using System.Text.Json;
using ModelCompiler.Generation;
using ModelCompiler.HuggingFace.Weights;
using ModelCompiler.Models;
using ModelCompiler.Planning;
using ModelCompiler.Tests.Models;

namespace ModelCompiler.Tests.Generation;

public class TextGeneratorTests
{
    public static TheoryData<string> Backends => ModelBackends.Names;

    [Theory]
    [MemberData(nameof(Backends))]
    public void Greedy_ids_are_the_references(string backend)
    {
        TestData.Require(StoriesReference.Folder);
        JsonElement reference = StoriesReference.Forward();
        int[] prompt = StoriesReference.Ids(reference.GetProperty("prompt_ids"));
        int[] expected = StoriesReference.Ids(reference.GetProperty("greedy_ids"));
        using var model = Model.ForGeneration<Stories260K>(expected.Length, backend: ModelBackends.Create(backend));
        BaseWeights.Load(model, TestData.PathOf(StoriesReference.Folder));
        var streamed = new List<int>();

        GenerationResult result = new TextGenerator(model).Generate(prompt, new GenerationOptions { MaximumTokens = expected.Length - prompt.Length }, streamed.Add);

        Assert.Equal(expected[prompt.Length..], result.Tokens);
        Assert.Equal(result.Tokens, streamed);
        Assert.Equal(StopReason.MaximumTokens, result.Reason);
    }

    [Fact]
    public void A_prompt_taken_in_pieces_gives_the_same_text()
    {
        int[] prompt = [.. Enumerable.Range(0, 50).Select(t => (7 + 31 * t) % 512)];
        var options = new GenerationOptions { MaximumTokens = 10 };
        using Stories260K whole = Create(capacity: 64, prefill: 64);
        using Stories260K pieces = Create(capacity: 64, prefill: 7);

        GenerationResult expected = new TextGenerator(whole).Generate(prompt, options);

        Assert.Equal(10, expected.Tokens.Count);
        Assert.Equal(expected.Tokens, new TextGenerator(pieces).Generate(prompt, options).Tokens);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(16)]
    [InlineData(49)]
    public void Every_piece_of_a_prompt_has_its_own_positions(int prefill)
    {
        // Random weights look at every place alike; with large queries and keys the text depends on the distances.
        int[] prompt = [.. Enumerable.Range(0, 50).Select(t => (7 + 31 * t * t) % 512)];
        var options = new GenerationOptions { MaximumTokens = 14 };
        using Stories260K whole = Create(capacity: 64, prefill: 64);
        using Stories260K pieces = Create(capacity: 64, prefill);
        using Stories260K shifted = Create(capacity: 64, prefill: 64);
        foreach (Stories260K model in (Stories260K[])[whole, pieces, shifted])
        {
            Sharpen(model);
        }

        IReadOnlyList<int> expected = new TextGenerator(whole).Generate(prompt, options).Tokens;

        Assert.Equal(expected, new TextGenerator(pieces).Generate(prompt, options).Tokens);
        Assert.NotEqual(expected, new TextGenerator(shifted).Generate([.. prompt[..7], prompt[6], .. prompt[7..]], options).Tokens);
        Assert.True(expected.Distinct().Count() > 3, "the text must not be one token again and again");
    }

    [Fact]
    public void The_cache_of_a_former_text_has_no_influence()
    {
        using Stories260K model = Create(capacity: 64, prefill: 64);
        var generator = new TextGenerator(model);
        var options = new GenerationOptions { MaximumTokens = 8, Temperature = 1, Seed = 3 };

        GenerationResult first = generator.Generate([1, 2, 3], options);
        generator.Generate([.. Enumerable.Range(100, 40)], options);

        Assert.Equal(first.Tokens, generator.Generate([1, 2, 3], options).Tokens);
    }

    [Fact]
    public void Draws_depend_on_the_seed_alone()
    {
        using Stories260K model = Create(capacity: 64, prefill: 64);
        var generator = new TextGenerator(model);
        GenerationResult Draw(ulong seed) => generator.Generate([1], new GenerationOptions { MaximumTokens = 20, Temperature = 1, TopP = 0.9, Seed = seed });

        Assert.Equal(Draw(1).Tokens, Draw(1).Tokens);
        Assert.NotEqual(Draw(1).Tokens, Draw(2).Tokens);
    }

    [Fact]
    public void An_end_of_text_token_ends_the_text_and_is_not_part_of_it()
    {
        using Stories260K model = Create(capacity: 64, prefill: 64);
        var generator = new TextGenerator(model);
        IReadOnlyList<int> free = generator.Generate([1], new GenerationOptions { MaximumTokens = 5, Temperature = 1 }).Tokens;
        int end = free[2];
        int first = free.ToList().IndexOf(end);

        GenerationResult result = generator.Generate([1], new GenerationOptions { MaximumTokens = 5, Temperature = 1, EndOfText = [end] });

        Assert.Equal(free.Take(first), result.Tokens);
        Assert.Equal(StopReason.EndOfText, result.Reason);
    }

    [Fact]
    public void The_first_of_several_end_tokens_ends_the_text()
    {
        using Stories260K model = Create(capacity: 64, prefill: 64);
        var generator = new TextGenerator(model);
        IReadOnlyList<int> free = generator.Generate([1], new GenerationOptions { MaximumTokens = 8, Temperature = 1 }).Tokens;
        int first = free.ToList().FindIndex(t => t == free[2] || t == free[5]);

        GenerationResult result = generator.Generate([1], new GenerationOptions { MaximumTokens = 8, Temperature = 1, EndOfText = [free[5], free[2]] });

        Assert.Equal(free.Take(first), result.Tokens);
    }

    [Fact]
    public void A_full_cache_ends_the_text()
    {
        using Stories260K model = Create(capacity: 8, prefill: 8);

        GenerationResult result = new TextGenerator(model).Generate([1, 2, 3, 4, 5, 6], new GenerationOptions { MaximumTokens = 10 });

        // The prompt and two tokens fill the cache; the third is chosen from the last position.
        Assert.Equal(3, result.Tokens.Count);
        Assert.Equal(StopReason.Capacity, result.Reason);
    }

    [Fact]
    public void Prompts_that_cannot_be_continued_are_refused()
    {
        using Stories260K model = Create(capacity: 8, prefill: 8);
        var generator = new TextGenerator(model);
        var options = new GenerationOptions();

        Assert.Contains("9 tokens, the plan's cache holds 8", Assert.Throws<GenerationException>(() => generator.Generate(new int[9], options)).Message);
        Assert.Contains("no tokens", Assert.Throws<GenerationException>(() => generator.Generate([], options)).Message);
        Assert.Contains("512", Assert.Throws<GenerationException>(() => generator.Generate([512], options)).Message);
        Assert.Throws<ArgumentException>(() => generator.Generate([1], options with { TopP = 0 }));
        Assert.Throws<ArgumentException>(() => generator.Generate([1], options with { Temperature = double.NaN }));
    }

    [Fact]
    public void A_model_planned_for_training_is_refused()
    {
        using var model = Model.ForTraining<Stories260K>(new TrainingPlan { Sequence = 8 }, ModelBackends.Create("cpu-1"));
        Assert.Throws<ArgumentException>(() => new TextGenerator(model));
    }

    private static void Sharpen(Stories260K model)
    {
        foreach (Parameter parameter in model.Parameters.Where(p => p.Path.Contains(".Query.", StringComparison.Ordinal) || p.Path.Contains(".Key.", StringComparison.Ordinal)))
        {
            model.Backend.Write(parameter.Value, Array.ConvertAll(model.Read(parameter), value => 40 * value));
        }

        foreach (Parameter parameter in model.Parameters.Where(p => p.Path.Contains(".Output.", StringComparison.Ordinal) || p.Path.Contains(".Value.", StringComparison.Ordinal)))
        {
            model.Backend.Write(parameter.Value, Array.ConvertAll(model.Read(parameter), value => 8 * value));
        }
    }

    private static Stories260K Create(int capacity, int prefill)
    {
        var backend = ModelBackends.Create("cpu-1");
        var model = Stories260K.Create(MemoryPlanner.Decode(Stories260K.Tables, 1, capacity, prefill, backend.Profile), backend);
        Initialization.All(model, seed: 5);
        return model;
    }
}
