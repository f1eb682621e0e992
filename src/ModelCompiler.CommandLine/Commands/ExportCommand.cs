using System.CommandLine;
using ModelCompiler.CommandLine.Terminal;
using ModelCompiler.HuggingFace.Peft;
using ModelCompiler.HuggingFace.Weights;
using ModelCompiler.Models;

namespace ModelCompiler.CommandLine.Commands;

/// <summary><c>mc export</c>: an adapter in PEFT's format, folded to LoRA or DoRA where its method is another, at a rank where it has several.</summary>
internal sealed class ExportCommand(Session session) : ConversionCommand("export", "Write an adapter in PEFT's format, at a chosen rank where its ranks are nested", session)
{
    protected override string[] Write(ParseResult arguments, TransformerModel model, string basePath, string output)
    {
        AdapterFiles.Save(model, output, basePath);
        return [.. new[] { PeftAdapter.ConfigName, PeftAdapter.WeightsName, AdapterFiles.StateName }.Select(name => Path.Combine(output, name)).Where(File.Exists)];
    }

    protected override void Read(ParseResult arguments, TransformerModel architecture, TransformerModel model, string output) =>
        MergedWeights.Load(architecture, model, PeftAdapter.Load(output));
}
