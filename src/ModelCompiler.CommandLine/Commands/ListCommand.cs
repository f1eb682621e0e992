using System.CommandLine;
using ModelCompiler.CommandLine.Results;
using ModelCompiler.CommandLine.Terminal;
using ModelCompiler.Models;
using ModelCompiler.Planning;
using Spectre.Console;

namespace ModelCompiler.CommandLine.Commands;

/// <summary><c>mc list</c>: architectures and recipes.</summary>
internal sealed class ListCommand(Session session) : HostCommand("list", "Architectures and recipes of this program", session)
{
    protected override int Run(ParseResult arguments, CancellationToken cancellation)
    {
        var result = new ListResult(
            [.. ModelRegistry.All.Where(m => !m.IsRecipe).Select(m => new ArchitectureLine(m.Tables.Name, m.Tables.ParameterCount(trainable: false)))],
            [.. ModelRegistry.All.Where(m => m.IsRecipe).Select(m => Recipe(m.Tables))]);
        Session.Emit(result, HostJson.Default.ListResult, console => Show(console, result));
        return ExitCode.Done;
    }

    /// <summary>The adapters' method, as in tables and JSON: "LoRA"; "none" where every parameter is trained or none is.</summary>
    internal static string AdapterOf(ModelTables tables) =>
        tables.Slots.Length == 0 ? "none" : string.Join("+", tables.Slots.Select(s => s.Method).Distinct());

    private static RecipeLine Recipe(ModelTables tables) =>
        new(tables.Name, tables.Architecture, AdapterOf(tables), tables.Storage, tables.ParameterCount(trainable: true));

    private static void Show(IAnsiConsole console, ListResult result)
    {
        Table architectures = Tables.Create("architecture", "parameters");
        architectures.Columns[1].RightAligned();
        foreach (ArchitectureLine line in result.Architectures)
        {
            architectures.AddRow(Markup.Escape(line.Name), Tables.Count(line.Parameters));
        }

        console.Write(architectures);
        Table recipes = Tables.Create("recipe", "architecture", "adapter", "storage", "trainable");
        recipes.Columns[4].RightAligned();
        foreach (RecipeLine line in result.Recipes)
        {
            recipes.AddRow(Markup.Escape(line.Name), Markup.Escape(line.Architecture), Markup.Escape(line.Adapter), line.Storage, Tables.Count(line.Trainable));
        }

        console.Write(recipes);
    }
}
