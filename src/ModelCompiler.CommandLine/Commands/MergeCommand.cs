using System.CommandLine;
using ModelCompiler.Adapters;
using ModelCompiler.CommandLine.Options;
using ModelCompiler.CommandLine.Terminal;
using ModelCompiler.HuggingFace.Peft;
using ModelCompiler.HuggingFace.Weights;
using ModelCompiler.Models;
using ModelCompiler.Safetensors;

namespace ModelCompiler.CommandLine.Commands;

/// <summary><c>mc merge</c>: a base with an adapter added to its weights, which loads as the architecture alone.</summary>
internal sealed class MergeCommand : ConversionCommand
{
    private readonly Option<string?> _type = new("--type") { Description = "F32, F16 or BF16; default: each weight as the base has it, or F32 where zero points take the adapter (QA-LoRA over Int4)" };

    public MergeCommand(Session session)
        : base("merge", "Add an adapter to its base's weights", session) => Add(_type);

    protected override string[] Write(ParseResult arguments, TransformerModel model, string basePath, string output)
    {
        SafetensorsType? type = arguments.GetValue(_type) is { } text ? Enum.Parse<SafetensorsType>(EnumOption.Require("--type", text, ["F32", "F16", "BF16"])) : null;
        if (!CanMerge(model))
        {
            throw new UsageException($"{model.Tables.Name} has an adapter on a head that is the token embedding, which it must not change; the export command keeps it beside the base");
        }

        if (ZeroPointMerge.CanApply(model))
        {
            // The weights become the same codes again when they are quantized.
            ZeroPointMerge.Apply(model);
            return BaseFolder.Save(model, basePath, output, type ?? SafetensorsType.F32);
        }

        return MergedWeights.SaveFolder(model, basePath, output, type);
    }

    protected override void Read(ParseResult arguments, TransformerModel architecture, TransformerModel model, string output) => BaseWeights.Load(architecture, output, WeightOptions.Ignored(arguments));
}
