using System.Globalization;
using System.Text.Json;
using ModelCompiler.Backends.Cpu;
using ModelCompiler.CommandLine.Quickstart;
using ModelCompiler.HuggingFace.Tokenizers;
using ModelCompiler.HuggingFace.Weights;
using ModelCompiler.Models;
using ModelCompiler.Planning;

namespace ModelCompiler.Cli.Tests;

/// <summary>A folder with a base for Stories260K with random weights, a tokenizer and a little data; made once for all tests.</summary>
public sealed class TinyBase : IDisposable
{
    public TinyBase()
    {
        Gallery.Register();
        Folder = Directory.CreateTempSubdirectory("mc-tests-").FullName;
        Base = Path.Combine(Folder, "base");
        using (Stories260K model = Model.ForTraining<Stories260K>(new TrainingPlan { Sequence = 16 }, new CpuBackend(1)))
        {
            Initialization.All(model, 1);
            BaseWeights.Save(model, Base);
        }

        string[] words = ["red", "green", "blue", "one", "two", "three", "cat", "dog"];
        string[] rows = [.. Enumerable.Range(0, 60).Select(i => $"{words[i % 8]} {words[i * 3 % 8]} {words[i * 5 % 8]}")];
        BpeTrainer.Train(rows, 300, "<|endoftext|>").Save(Path.Combine(Base, ByteLevelBpe.FileName));
        Data = Write("data.jsonl", string.Concat(rows.Select(r => $"{{\"prompt\": \"say {r}: \", \"completion\": {JsonSerializer.Serialize(r)}}}\n")));
    }

    /// <summary>Everything is below it.</summary>
    public string Folder { get; }

    /// <summary>The base.</summary>
    public string Base { get; }

    /// <summary>Sixty rows of prompt and completion.</summary>
    public string Data { get; }

    /// <summary>Writes a file.</summary>
    public string Write(string name, string text)
    {
        string path = Path.Combine(Folder, name);
        File.WriteAllText(path, text);
        return path;
    }

    /// <summary>A folder that does not exist yet.</summary>
    public string NewFolder() => Path.Combine(Folder, Guid.NewGuid().ToString("N", CultureInfo.InvariantCulture));

    /// <summary>A copy of the base to damage.</summary>
    public string CopyBase()
    {
        string copy = Directory.CreateDirectory(NewFolder()).FullName;
        foreach (string file in Directory.EnumerateFiles(Base))
        {
            File.Copy(file, Path.Combine(copy, Path.GetFileName(file)));
        }

        return copy;
    }

    public void Dispose() => Directory.Delete(Folder, recursive: true);
}
