using ModelCompiler.Reading;

namespace ModelCompiler.Safetensors;

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
        var metadata = new Dictionary<string, string>();
        var tensors = new List<TensorEntry>();
        foreach ((string name, JsonValue value) in JsonText.Parse(json, file, Damaged).RequireObject().Members())
        {
            if (name == MetadataKey)
            {
                foreach ((string key, JsonValue text) in value.Members())
                {
                    metadata.Add(key, text.AsText());
                }
            }
            else
            {
                tensors.Add(ReadEntry(name, value, file, dataLength));
            }
        }

        TensorEntry[] ordered = [.. tensors.OrderBy(t => t.Begin).ThenBy(t => t.End)];
        CheckCoverage(ordered, file, dataLength);
        return new SafetensorsHeader(metadata, ordered);
    }

    private static CheckpointException Damaged(string file, string problem, Exception? inner) =>
        new(file, $"safetensors header: {problem}; the file is damaged or of another format", inner);

    private static TensorEntry ReadEntry(string name, JsonValue value, string file, long dataLength)
    {
        CheckpointException Error(string problem) => new(file, $"tensor '{name}': {problem}");

        string typeName = value.Required("dtype").AsText();
        long[] shape = Integers(value.Required("shape"));
        long[] offsets = Integers(value.Required("data_offsets"));
        if (offsets.Length != 2)
        {
            throw value.Wrong("data_offsets", "two whole numbers");
        }

        if (!SafetensorsTypeExtensions.TryParse(typeName, out SafetensorsType type))
        {
            throw Error($"unknown dtype '{typeName}'; convert the file to F32, F16 or BF16");
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

        return new TensorEntry(name, type, shape, begin, end);
    }

    private static long[] Integers(JsonValue list) =>
        [.. list.RequireList("a list of whole numbers from 0").Items().Select(item => item.AsLong() is >= 0 and long integer ? integer : throw item.Wrong("a whole number from 0"))];

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
