using System.CommandLine;
using ModelCompiler.CommandLine.Results;
using ModelCompiler.CommandLine.Runs;
using ModelCompiler.CommandLine.Terminal;
using ModelCompiler.HuggingFace.Families;
using ModelCompiler.Models;
using ModelCompiler.Planning;
using Spectre.Console;

namespace ModelCompiler.CommandLine.Commands;

/// <summary><c>mc inspect</c>: tensors, adapter slots and generated files of a model.</summary>
internal sealed class InspectCommand : HostCommand
{
    private readonly Argument<string> _model = ModelArgument.Create();

    public InspectCommand(Session session)
        : base("inspect", "Tensors, adapter slots and generated files", session) => Add(_model);

    protected override int Run(ParseResult arguments, CancellationToken cancellation)
    {
        ModelEntry model = ModelArgument.Find(arguments.GetRequiredValue(_model));
        ModelTables tables = model.Tables;
        TensorMap map = CheckpointFamily.MapOf(tables);
        var sizes = new Sizes(1, 1, 1, 1, [.. tables.Slots.Select(s => s.Rank)]);
        var result = new InspectResult(
            tables.Name,
            tables.Architecture,
            tables.ParameterCount(trainable: false),
            tables.ParameterCount(trainable: true),
            [.. tables.Parameters.Where(p => !p.TrainingOnly).SelectMany(row => tables.LayersOf(row).Select(layer => Line(row, map, layer, row.PathIn(layer), sizes)))],
            [.. tables.Slots.Select(s => new SlotLine(s.Path, map.ModuleOf(s, -1), s.Method, s.Rank, s.MaximumRank, s.Alpha, s.Scale(s.Rank), s.Dropout, s.Layers?.ToString()))],
            GeneratedFiles.Of(model));
        Session.Emit(result, HostJson.Default.InspectResult, console => Show(console, result, tables, map, sizes));
        return ExitCode.Done;
    }

    private static TensorLine Line(ParameterInfo row, TensorMap map, int layer, string name, Sizes sizes)
    {
        (int rows, int columns) = (row.Rows.Evaluate(sizes), row.Columns.Evaluate(sizes));
        string? tensor = row.Slot < 0 ? map.Of(row, layer).Tensor : null;
        return new TensorLine(name, tensor, row.Vector ? [rows * columns] : [rows, columns], TypeName(row.Format), row.Trainable);
    }

    private static string TypeName(WeightFormat format) => format.Storage.ToString();

    private static void Show(IAnsiConsole console, InspectResult result, ModelTables tables, TensorMap map, Sizes sizes)
    {
        console.WriteLine($"{result.Recipe}: {Tables.Count(result.Parameters)} parameters, {Tables.Count(result.Trainable)} trainable");
        Table tensors = Tables.Create("parameter", "tensor", "shape", "type", "trained");
        foreach (ParameterInfo row in tables.Parameters)
        {
            string name = row.PerLayer ? $"Layers[{LayerSet.Of(tables.LayersOf(row))}].{row.Path}" : row.Path;
            TensorLine line = Line(row, map, -1, name, sizes);
            tensors.AddRow(Markup.Escape(line.Name), Markup.Escape(line.Tensor?.Replace("{0}", "N", StringComparison.Ordinal) ?? ""), Markup.Escape($"[{string.Join(", ", line.Shape)}]"), line.Dtype, line.Trainable ? "yes" : "");
        }

        console.Write(tensors);
        if (result.Slots.Length > 0)
        {
            Table slots = Tables.Create("slot", "adapter", "rank", "alpha", "scale", "dropout", "layers");
            foreach (SlotLine slot in result.Slots)
            {
                slots.AddRow(
                    Markup.Escape(slot.Path), Markup.Escape(slot.Method), Tables.Count(slot.Rank), Tables.Number(slot.Alpha, 1), Tables.Number(slot.Scale, 3),
                    Tables.Number(slot.Dropout, 2), slot.Layers ?? "all");
            }

            console.Write(slots);
        }

        console.WriteLine(result.Files.Length == 0 ? $"generated files: {GeneratedFiles.HowTo}" : "generated files:");
        foreach (string file in result.Files)
        {
            console.WriteLine("  " + file);
        }
    }
}
