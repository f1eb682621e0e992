using System.Text.Json;

namespace ModelCompiler.Checkpoints;

/// <summary>Reads and checks the JSON header: what it promises must be exactly what the file holds.</summary>
internal sealed record SafetensorsHeader(IReadOnlyDictionary<string, string> Metadata, IReadOnlyList<TensorEntry> Tensors)
{
    /// <summary>Bytes before the header: its length.</summary>
    public const int LengthBytes = 8;

    /// <summary>The longest header the reference reader accepts.</summary>
    public const long MaximumLength = 100_000_000;

    private const string MetadataKey = "__metadata__";

    /// <param name="json">The header's bytes.</param>
    /// <param name="file">Its file, for messages.</param>
    /// <param name="dataLength">Bytes of the file after the header.</param>
    /// <exception cref="CheckpointException">The header is not one, or disagrees with the file.</exception>
    public static SafetensorsHeader Parse(ReadOnlyMemory<byte> json, string file, long dataLength)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(json);
            if (document.RootElement.ValueKind != JsonValueKind.Object)
            {
                throw new CheckpointException(file, "the safetensors header is not a JSON object; the file is damaged or of another format");
            }

            var metadata = new Dictionary<string, string>();
            var tensors = new Dictionary<string, TensorEntry>();
            foreach (JsonProperty property in document.RootElement.EnumerateObject())
            {
                if (property.Name == MetadataKey)
                {
                    ReadMetadata(property.Value, metadata, file);
                }
                else if (!tensors.TryAdd(property.Name, ReadEntry(property, file, dataLength)))
                {
                    throw new CheckpointException(file, $"tensor '{property.Name}' occurs twice in the header");
                }
            }

            TensorEntry[] ordered = [.. tensors.Values.OrderBy(t => t.Begin).ThenBy(t => t.End)];
            CheckCoverage(ordered, file, dataLength);
            return new SafetensorsHeader(metadata, ordered);
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            // InvalidOperationException: text that is JSON but not valid UTF-8 or UTF-16.
            throw new CheckpointException(file, $"the safetensors header is not valid JSON ({error.Message.TrimEnd('.')}); the file is damaged or of another format", error);
        }
    }

    private static void ReadMetadata(JsonElement element, Dictionary<string, string> metadata, string file)
    {
        if (element.ValueKind != JsonValueKind.Object || element.EnumerateObject().Any(p => p.Value.ValueKind != JsonValueKind.String))
        {
            throw new CheckpointException(file, $"{MetadataKey} of the header must be an object of strings");
        }

        foreach (JsonProperty entry in element.EnumerateObject())
        {
            metadata[entry.Name] = entry.Value.GetString()!;
        }
    }

    private static TensorEntry ReadEntry(JsonProperty property, string file, long dataLength)
    {
        CheckpointException Error(string problem) => new(file, $"tensor '{property.Name}': {problem}");

        JsonElement element = property.Value;
        if (element.ValueKind != JsonValueKind.Object
            || !element.TryGetProperty("dtype", out JsonElement typeName) || typeName.ValueKind != JsonValueKind.String
            || !element.TryGetProperty("shape", out JsonElement shapeArray) || !TryReadIntegers(shapeArray, out long[] shape)
            || !element.TryGetProperty("data_offsets", out JsonElement offsetArray) || !TryReadIntegers(offsetArray, out long[] offsets)
            || offsets.Length != 2)
        {
            throw Error("the header entry must have a dtype, a shape and two data_offsets, all whole and not negative");
        }

        if (!SafetensorsTypeExtensions.TryParse(typeName.GetString()!, out SafetensorsType type))
        {
            throw Error($"unknown dtype '{typeName.GetString()}'; convert the file to F32, F16 or BF16");
        }

        (long begin, long end) = (offsets[0], offsets[1]);
        if (begin > end || end > dataLength)
        {
            throw Error($"data_offsets [{begin}, {end}] lie outside the {dataLength} bytes of data; the file is truncated or damaged");
        }

        if (!TryMultiply(shape, type.Size(), out long bytes) || bytes != end - begin)
        {
            throw Error($"shape {TensorEntry.Format(shape)} of {type.FormatName()} does not fill its {end - begin} bytes; the file is damaged");
        }

        return new TensorEntry(property.Name, type, shape, begin, end);
    }

    private static bool TryReadIntegers(JsonElement array, out long[] values)
    {
        values = [];
        if (array.ValueKind != JsonValueKind.Array)
        {
            return false;
        }

        values = new long[array.GetArrayLength()];
        int i = 0;
        foreach (JsonElement element in array.EnumerateArray())
        {
            if (element.ValueKind != JsonValueKind.Number || !element.TryGetInt64(out values[i]) || values[i++] < 0)
            {
                return false;
            }
        }

        return true;
    }

    private static bool TryMultiply(long[] shape, int size, out long bytes)
    {
        bytes = size;
        if (shape.Contains(0))
        {
            bytes = 0;
            return true;
        }

        foreach (long dimension in shape)
        {
            if (bytes > long.MaxValue / dimension)
            {
                return false;
            }

            bytes *= dimension;
        }

        return true;
    }

    private static void CheckCoverage(TensorEntry[] ordered, string file, long dataLength)
    {
        long reached = 0;
        foreach (TensorEntry entry in ordered)
        {
            if (entry.Begin != reached)
            {
                string problem = entry.Begin < reached ? "overlaps the tensor before it" : $"leaves {entry.Begin - reached} bytes before it unused";
                throw new CheckpointException(file, $"tensor '{entry.Name}' {problem}; the file is damaged");
            }

            reached = entry.End;
        }

        if (reached != dataLength)
        {
            throw new CheckpointException(file, $"{dataLength - reached} bytes after the last tensor belong to none; the file is damaged");
        }
    }
}
