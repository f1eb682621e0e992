using System.Text.Json;

namespace ModelCompiler.Tests.Models;

/// <summary>What numpy and PyTorch computed, in double precision, for the real stories260K.</summary>
public static class StoriesReference
{
    /// <summary>Folder of the model, relative to the data folder.</summary>
    public const string Folder = "models/stories260K";

    /// <summary>reference.json: prompt, logits, greedy continuation.</summary>
    public static JsonElement Forward() => Read("reference.json");

    /// <summary>lora_reference.json: gradients of the base, and a LoRA run.</summary>
    public static JsonElement Training() => Read("lora_reference.json");

    /// <summary>Rows of a JSON array of arrays of ids.</summary>
    public static int[][] Rows(JsonElement rows) => [.. rows.EnumerateArray().Select(Ids)];

    /// <summary>An array of ids.</summary>
    public static int[] Ids(JsonElement ids) => [.. ids.EnumerateArray().Select(e => e.GetInt32())];

    /// <summary>An array of numbers.</summary>
    public static double[] Numbers(JsonElement numbers) => [.. numbers.EnumerateArray().Select(e => e.GetDouble())];

    private static JsonElement Read(string name)
    {
        using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(TestData.PathOf(Path.Combine(Folder, name))));
        return document.RootElement.Clone();
    }
}
