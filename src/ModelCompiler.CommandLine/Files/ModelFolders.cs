using ModelCompiler.CommandLine.Terminal;
using ModelCompiler.HuggingFace.Checkpoints;
using ModelCompiler.HuggingFace.Weights;

namespace ModelCompiler.CommandLine.Files;

/// <summary>Folders of bases and adapters as people give them: what is wrong with one is said before anything in it is read.</summary>
internal static class ModelFolders
{
    private const string Configuration = "config.json";
    private const string AdapterConfiguration = "adapter_config.json";

    /// <summary>A folder with config.json and weights.</summary>
    /// <exception cref="UsageException">It is none; the message says what it is instead.</exception>
    public static string RequireBase(string path)
    {
        RequireFolder("--base", path, "the folder with config.json, the weights and the tokenizer");
        if (!Has(path, Configuration))
        {
            throw new UsageException(Has(path, AdapterConfiguration)
                ? $"--base {path} is an adapter's folder; give it with --adapter, and the base that it was trained over with --base"
                : $"--base {path} has no config.json; give the folder of a model as Hugging Face has it");
        }

        return Has(path, Checkpoint.FileName) || Has(path, Checkpoint.IndexName)
            ? path
            : throw new UsageException($"--base {path} has neither {Checkpoint.FileName} nor {Checkpoint.IndexName}{Others(path)}");
    }

    /// <summary>A folder with an adapter in PEFT's format.</summary>
    /// <exception cref="UsageException">It is none; the message says what it is instead.</exception>
    public static string RequireAdapter(string path)
    {
        RequireFolder("--adapter", path, $"the folder with {AdapterConfiguration}");
        return Has(path, AdapterConfiguration) ? path
            : throw new UsageException(Has(path, Configuration)
                ? $"--adapter {path} is the folder of a base: it has no {AdapterConfiguration}"
                : $"--adapter {path} has no {AdapterConfiguration}; a run writes it when it ends, --resume goes on with one that was interrupted");
    }

    private static void RequireFolder(string option, string path, string wanted)
    {
        if (Directory.Exists(path))
        {
            return;
        }

        throw new UsageException(
            path.Length == 0 ? $"{option} is empty; give {wanted}"
            : File.Exists(path) ? $"{option} {path} is a file; give {wanted}"
            : $"{option} {path}: there is no such folder{(IsHubName(path) ? "; a model of the Hugging Face hub has to be downloaded first, then give its folder" : "")}");
    }

    private static bool Has(string folder, string file) => File.Exists(Path.Combine(folder, file));

    /// <summary>Two words with one slash, such as meta-llama/Llama-2-7b-hf.</summary>
    private static bool IsHubName(string path) =>
        path.Split('/') is [{ Length: > 0 } owner, { Length: > 0 } name] && owner[0] is not ('.' or '~') && name[0] != '.' && !path.Contains('\\', StringComparison.Ordinal);

    private static string Others(string folder)
    {
        string? other = Directory.EnumerateFiles(folder).Select(Path.GetFileName)
            .FirstOrDefault(name => Path.GetExtension(name) is ".bin" or ".pt" or ".pth" or ".gguf" or ".h5" or ".safetensors");
        return other is null ? "" : $"; {other} is not read: convert it to {Checkpoint.FileName}";
    }
}
