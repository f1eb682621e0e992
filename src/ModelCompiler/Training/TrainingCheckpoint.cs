using System.Text.Json;
using ModelCompiler.Adapters;
using ModelCompiler.Backends;
using ModelCompiler.Files;
using ModelCompiler.Models;
using ModelCompiler.Planning;
using ModelCompiler.Reading;
using ModelCompiler.Safetensors;
using ModelCompiler.Tensors;

namespace ModelCompiler.Training;

/// <summary>
/// The state of a run in one safetensors file: every trainable parameter with its moments as F32 (quantized ones as U8 codes with F32
/// scales), the adapters' frozen parameters, and in the metadata the number of completed steps (which is also the position in the data) and
/// the facts the run depends on. One file that is written aside and renamed: whenever the process dies, the last complete checkpoint is there.
/// A resumed run computes the same bits as one that was never interrupted, on backends that compute in F32.
/// </summary>
public static class TrainingCheckpoint
{
    /// <summary>Name of the file in the output folder.</summary>
    public const string FileName = "checkpoint.safetensors";

    private const string StepsKey = "steps";
    private const string FactsKey = "facts";
    private const string ScheduleKey = "schedule ";

    /// <summary>Whether a folder has a checkpoint.</summary>
    public static bool Exists(string folder) => File.Exists(Path.Combine(folder, FileName));

    /// <summary>The completed steps of a folder's checkpoint.</summary>
    /// <exception cref="CheckpointException">There is none, or it is damaged.</exception>
    public static int CompletedSteps(string folder)
    {
        using SafetensorsFile file = SafetensorsFile.Open(Path.Combine(folder, FileName));
        return Steps(file);
    }

    /// <summary>Writes the state over the folder's former checkpoint.</summary>
    /// <exception cref="OutputException">The file cannot be written; the former checkpoint is unharmed.</exception>
    internal static void Save(string folder, TransformerModel model, int steps, IReadOnlyList<KeyValuePair<string, string>> facts, IEnumerable<AdapterSchedule> schedules)
    {
        AtomicFile.CreateFolder(folder);
        var metadata = new Dictionary<string, string>
        {
            [StepsKey] = steps.ToString(System.Globalization.CultureInfo.InvariantCulture),
            [FactsKey] = Json(facts),
        };
        foreach (AdapterSchedule schedule in schedules.Where(s => s.Save().Length > 0))
        {
            metadata.Add(ScheduleKey + schedule.GetType().Name, schedule.Save());
        }

        SafetensorsWriter.Write(
            Path.Combine(folder, FileName),
            Tensors(model).Select(t => Source(model, t.Name, t.Value, t.Paged)),
            metadata);
    }

    /// <summary>Loads the state.</summary>
    /// <returns>The completed steps.</returns>
    /// <exception cref="CheckpointException">There is no checkpoint, or it is damaged.</exception>
    /// <exception cref="TrainingException">It belongs to another run; what differs is named.</exception>
    internal static int Load(string folder, TransformerModel model, IReadOnlyList<KeyValuePair<string, string>> facts, IEnumerable<AdapterSchedule> schedules)
    {
        string path = Path.Combine(folder, FileName);
        if (!File.Exists(path))
        {
            throw new CheckpointException(path, "there is no checkpoint to resume; start without resuming");
        }

        using SafetensorsFile file = SafetensorsFile.Open(path);
        int steps = Steps(file);
        CheckFacts(path, file, facts);
        RestoreSchedules(path, file, schedules);
        (string Name, Tensor Value, bool Paged)[] tensors = [.. Tensors(model)];
        foreach ((string name, Tensor value, _) in tensors)
        {
            if (!file.Contains(name) || !file[name].Shape.SequenceEqual([value.Rows, value.Columns]))
            {
                string found = file.Contains(name) ? file[name].ShapeText : "absent";
                throw new CheckpointException(path, $"tensor '{name}' is {found}, the run needs [{value.Rows}, {value.Columns}]; the file is damaged or of another version");
            }
        }

        foreach ((string name, Tensor value, bool paged) in tensors)
        {
            ReadRows read = TypeOf(value) == SafetensorsType.U8
                ? (first, count, values) => file.ReadCodeRows(name, first, count, values)
                : (first, count, values) => file.ReadRows(name, first, count, values);
            if (paged)
            {
                RowBlocks.Stream(value, read, (row, _, values) => model.PagedMoments.Write(value, row, values));
            }
            else
            {
                RowBlocks.Load(model.Backend, value, read);
            }
        }

        return steps;
    }

    private static void RestoreSchedules(string path, SafetensorsFile file, IEnumerable<AdapterSchedule> schedules)
    {
        foreach (AdapterSchedule schedule in schedules.Where(s => s.Save().Length > 0))
        {
            string state = file.Metadata.TryGetValue(ScheduleKey + schedule.GetType().Name, out string? text)
                ? text
                : throw new CheckpointException(path, $"its metadata does not say how the {schedule.GetType().Name} stands; the file is damaged or of another version");
            try
            {
                schedule.Restore(state);
            }
            catch (Exception error) when (error is JsonException or ArgumentException)
            {
                throw new CheckpointException(path, $"what its metadata says of the {schedule.GetType().Name} is damaged: {error.Message}", error);
            }
        }
    }

    private static TensorSource Source(TransformerModel model, string name, Tensor value, bool paged)
    {
        TensorSource source = TensorSource.FromTensor(model.Backend, name, value, vector: false, TypeOf(value));
        return paged
            ? source with { Fill = (first, destination) => model.PagedMoments.Read(value, (int)(first / value.Columns), destination) }
            : source;
    }

    private static IEnumerable<(string Name, Tensor Value, bool Paged)> Tensors(TransformerModel model)
    {
        foreach (Parameter parameter in model.Parameters.Where(p => p.Info.Trainable || p.Info.Slot >= 0))
        {
            bool paged = parameter.Moments.Storage == MomentStorage.Paged;
            yield return ($"value/{parameter.Path}", parameter.Value, false);
            if (!parameter.Info.Trainable)
            {
                continue;
            }

            yield return ($"moment1/{parameter.Path}", parameter.Moments.First, paged);
            if (!parameter.Moments.Second.IsNone)
            {
                yield return ($"moment2/{parameter.Path}", parameter.Moments.Second, paged);
            }

            if (parameter.Moments.Storage == MomentStorage.Blockwise)
            {
                yield return ($"scales1/{parameter.Path}", parameter.Moments.FirstScales, false);
                yield return ($"scales2/{parameter.Path}", parameter.Moments.SecondScales, false);
            }
        }
    }

    private static SafetensorsType TypeOf(Tensor tensor) => tensor.Type == DType.UInt8 ? SafetensorsType.U8 : SafetensorsType.F32;

    private static int Steps(SafetensorsFile file) =>
        file.Metadata.TryGetValue(StepsKey, out string? text)
        && int.TryParse(text, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out int steps)
            ? steps
            : throw new CheckpointException(file.Path, "is no training checkpoint: its metadata does not say the steps");

    private static void CheckFacts(string path, SafetensorsFile file, IReadOnlyList<KeyValuePair<string, string>> facts)
    {
        Dictionary<string, string> saved = [];
        foreach ((string name, JsonValue value) in JsonText.Parse(file.Metadata.GetValueOrDefault(FactsKey, "{}"), $"{path}, metadata '{FactsKey}'", CheckpointException.In).Members())
        {
            saved.Add(name, value.AsText());
        }

        // What only the file says is a difference too: ranks that a method had chosen, say.
        string[] differences = [.. facts
            .Where(f => saved.GetValueOrDefault(f.Key) != f.Value)
            .Select(f => $"{f.Key} was '{saved.GetValueOrDefault(f.Key, "not said")}', now '{f.Value}'"),
            .. saved.Where(s => facts.All(f => f.Key != s.Key)).Select(s => $"{s.Key} was '{s.Value}', now 'not said'")];
        if (differences.Length > 0)
        {
            throw new TrainingException($"{path} belongs to another run: {string.Join("; ", differences)}. Resume with what it was made with, or train into another folder");
        }
    }

    private static string Json(IReadOnlyList<KeyValuePair<string, string>> facts)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            foreach ((string name, string value) in facts)
            {
                json.WriteString(name, value);
            }

            json.WriteEndObject();
        }

        return System.Text.Encoding.UTF8.GetString(buffer.ToArray());
    }
}
