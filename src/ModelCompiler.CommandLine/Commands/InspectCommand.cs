using System.CommandLine;
using System.Globalization;
using ModelCompiler.CommandLine.Results;
using ModelCompiler.CommandLine.Runs;
using ModelCompiler.CommandLine.Terminal;
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
        var sizes = new Sizes(1, 1, 1, 1, [.. tables.Slots.Select(s => s.Rank)]);
        var result = new InspectResult(
            tables.Name,
            tables.Architecture,
            tables.ParameterCount(trainable: false),
            tables.ParameterCount(trainable: true),
            [.. tables.Parameters.Where(p => !p.TrainingOnly).SelectMany(row => Names(tables, row).Select(name => Line(row, name, sizes)))],
            [.. tables.Slots.Select(s => new SlotLine(s.Path, s.Module, s.Method, s.Rank, s.MaximumRank, s.Alpha, s.Scale(s.Rank), s.Dropout, s.FirstLayer))],
            GeneratedFiles.Of(model));
        Session.Emit(result, HostJson.Default.InspectResult, console => Show(console, result, tables, sizes));
        return ExitCode.Done;
    }

    private static IEnumerable<string> Names(ModelTables tables, ParameterRow row) => row.PerLayer
        ? tables.LayersOf(row).Select(layer => Named(row.Name, layer.ToString(CultureInfo.InvariantCulture)))
        : [row.Name];

    private static string Named(string name, string layer) => name.Replace("{0}", layer, StringComparison.Ordinal);

    private static TensorLine Line(ParameterRow row, string name, Sizes sizes)
    {
        (int rows, int columns) = (row.Rows.Evaluate(sizes), row.Columns.Evaluate(sizes));
        return new TensorLine(name, row.Vector ? [rows * columns] : [rows, columns], TypeName(row.Format), row.Trainable);
    }

    private static string TypeName(WeightFormat format) => format.Storage.ToString();

    private static void Show(IAnsiConsole console, InspectResult result, ModelTables tables, Sizes sizes)
    {
        console.WriteLine($"{result.Recipe}: {Tables.Count(result.Parameters)} parameters, {Tables.Count(result.Trainable)} trainable");
        Table tensors = Tables.Create("tensor", "shape", "type", "trained");
        foreach (ParameterRow row in tables.Parameters)
        {
            string layers = $"{{{row.FirstLayer}..{tables.Layers - 1}}}";
            TensorLine line = Line(row, row.PerLayer ? Named(row.Name, layers) : row.Name, sizes);
            tensors.AddRow(Markup.Escape(line.Name), Markup.Escape($"[{string.Join(", ", line.Shape)}]"), line.Dtype, line.Trainable ? "yes" : "");
        }

        console.Write(tensors);
        if (result.Slots.Length > 0)
        {
            Table slots = Tables.Create("slot", "adapter", "rank", "alpha", "scale", "dropout", "layers");
            foreach (SlotLine slot in result.Slots)
            {
                slots.AddRow(
                    Markup.Escape(slot.Path), Markup.Escape(slot.Method), Tables.Count(slot.Rank), Tables.Number(slot.Alpha, 1), Tables.Number(slot.Scale, 3),
                    Tables.Number(slot.Dropout, 2), $"{slot.FirstLayer}..{tables.Layers - 1}");
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
