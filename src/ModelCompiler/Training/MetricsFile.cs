using System.Text.Json;
using ModelCompiler.Files;
using ModelCompiler.Planning;
using ModelCompiler.Reading;

namespace ModelCompiler.Training;

/// <summary>One JSON object a line for every step: step, loss, rate, gradNorm, tokensPerSecond, seconds, heldOutLoss, and ranks by module where they moved.</summary>
internal sealed class MetricsFile : IDisposable
{
    /// <summary>Name of the file in the output folder.</summary>
    public const string FileName = "metrics.jsonl";

    private readonly ModelTables _tables;
    private readonly string _path;
    private readonly Stream _stream;

    /// <summary>Opens the file for the steps after <paramref name="completedSteps"/>; lines of later steps, from before an interruption, are dropped, and so are damaged ones.</summary>
    /// <param name="folder">The output folder.</param>
    /// <param name="completedSteps">Steps whose lines stay.</param>
    /// <param name="tables">The model, whose adapters' ranks are written by name.</param>
    /// <param name="open">Opens the file to append to it; null: as <see cref="Append"/> does.</param>
    /// <exception cref="OutputException">The file cannot be written.</exception>
    public MetricsFile(string folder, int completedSteps, ModelTables tables, Func<string, Stream>? open = null)
    {
        _tables = tables;
        _path = Path.Combine(folder, FileName);
        AtomicFile.CreateFolder(folder);
        try
        {
            string[] kept = File.Exists(_path) ? [.. File.ReadLines(_path).Where(line => StepOf(line) <= completedSteps)] : [];
            AtomicFile.WriteText(_path, string.Concat(kept.Select(line => line + "\n")));
            _stream = (open ?? Append)(_path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new OutputException(_path, error);
        }
    }

    /// <summary>Appends a line.</summary>
    /// <exception cref="OutputException">The file cannot be written.</exception>
    public void Write(in StepMetrics metrics)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteNumber("step", metrics.Step);
            json.WriteNumber("loss", metrics.Loss);
            json.WriteNumber("learningRate", metrics.LearningRate);
            json.WriteNumber("gradientNorm", metrics.GradientNorm);
            json.WriteNumber("tokensPerSecond", Math.Round(metrics.TokensPerSecond, 1));
            json.WriteNumber("seconds", Math.Round(metrics.Seconds, 6));
            if (metrics.HeldOutLoss is { } heldOut)
            {
                json.WriteNumber("heldOutLoss", heldOut);
            }

            if (metrics.Ranks is { } ranks)
            {
                json.WriteStartObject("ranks");
                foreach ((int index, AdapterSlot slot) in _tables.Slots.Index())
                {
                    foreach (int layer in _tables.LayersOf(slot))
                    {
                        json.WriteNumber(slot.PathIn(layer), ranks[index, layer]);
                    }
                }

                json.WriteEndObject();
            }

            json.WriteEndObject();
        }

        buffer.WriteByte((byte)'\n');
        try
        {
            _stream.Write(buffer.GetBuffer(), 0, (int)buffer.Length);
            _stream.Flush();
        }
        catch (IOException error)
        {
            throw new OutputException(_path, error);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _stream.Dispose();

    /// <summary>Without a buffer: what could not be written is not tried once more while the file is closed.</summary>
    private static FileStream Append(string path) => new(path, FileMode.Append, FileAccess.Write, FileShare.Read, bufferSize: 0);

    /// <summary>The step of a line; none for one that a killed process left unfinished or that is damaged.</summary>
    private static int? StepOf(string line)
    {
        try
        {
            return JsonText.Parse(line, FileName, TrainingException.In).Integer("step");
        }
        catch (TrainingException)
        {
            return null;
        }
    }
}
