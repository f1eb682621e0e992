using ModelCompiler.Files;
using ModelCompiler.HuggingFace.Config;
using ModelCompiler.Safetensors;

namespace ModelCompiler.HuggingFace.Weights;

/// <summary>The files of a base folder that are neither its weights nor its configuration: tokenizer, chat template, generation defaults, texts.</summary>
internal static class FolderFiles
{
    private static readonly string[] s_weights =
    [
        ".safetensors", ".index.json", ".pt", ".pth", ".ckpt", ".h5", ".msgpack", ".gguf", ".ggml", ".onnx", ".onnx_data", ".npz", ".npy", ".tflite", ".ot", ".tmp", ".lock",
    ];

    /// <summary>What this program and others keep of a training run in a folder.</summary>
    private static readonly string[] s_run =
        [ModelConfiguration.FileName, "adapter_config.json", "trainer_state.json", "metrics.jsonl", "checkpoint.json"];

    /// <summary>Their paths inside the folder, without what lies in another folder that is written to.</summary>
    public static IEnumerable<string> Others(string folder, string output)
    {
        var options = new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.System };
        string written = Path.GetFullPath(output) + Path.DirectorySeparatorChar;
        return Directory.EnumerateFiles(folder, "*", options)
            .Where(file => !Path.GetFullPath(file).StartsWith(written, StringComparison.Ordinal))
            .Select(file => Path.GetRelativePath(folder, file))
            .Where(file => !IsHidden(Path.GetDirectoryName(file)!) && !IsWeights(Path.GetFileName(file)) && !s_run.Contains(file))
            .Order(StringComparer.Ordinal);
    }

    /// <summary>Copies files from one folder to another.</summary>
    /// <returns>The copies.</returns>
    /// <exception cref="CheckpointException">A file cannot be read.</exception>
    /// <exception cref="OutputException">A file cannot be written.</exception>
    public static IEnumerable<string> Copy(string from, string to, IEnumerable<string> files) => [.. files.Select(file =>
    {
        (string source, string copy) = (Path.Combine(from, file), Path.Combine(to, file));
        AtomicFile.CreateFolder(Path.GetDirectoryName(copy)!);
        using FileStream stream = Open(source);
        AtomicFile.Write(copy, stream.CopyTo, stream.Length);
        return copy;
    })];

    /// <summary>Folders such as .git and .cache are a program's own.</summary>
    private static bool IsHidden(string folder) => folder.Split(Path.DirectorySeparatorChar).Any(part => part.StartsWith('.'));

    /// <summary>A .bin is weights but for the tokenizers of llama2.c.</summary>
    private static bool IsWeights(string name) => s_weights.Any(end => name.EndsWith(end, StringComparison.OrdinalIgnoreCase))
        || (name.EndsWith(".bin", StringComparison.OrdinalIgnoreCase) && !name.StartsWith("tok", StringComparison.OrdinalIgnoreCase));

    private static FileStream Open(string path)
    {
        try
        {
            return File.OpenRead(path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new CheckpointException(path, $"cannot be copied: {error.Message}", error);
        }
    }
}
