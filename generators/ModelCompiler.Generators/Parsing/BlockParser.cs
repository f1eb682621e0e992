using Microsoft.CodeAnalysis;
using ModelCompiler.Compiler.Description;

namespace ModelCompiler.Generators.Parsing;

/// <summary>Reads the class with [Block]: its sublayers in the order they are declared.</summary>
internal static class BlockParser
{
    public static BlockSpec? Parse(INamedTypeSymbol block, int width, ProblemList problems)
    {
        int before = problems.Count;
        ClassRules.CheckBlock(block, problems);

        var sublayers = new List<SublayerSpec>();
        foreach (IPropertySymbol property in block.GetMembers().OfType<IPropertySymbol>().Where(SublayerParser.IsSublayer))
        {
            if (SublayerParser.Parse(property, width, problems) is not { } sublayer)
            {
                continue;
            }

            if (sublayers.Any(other => other.PropertyName == sublayer.PropertyName))
            {
                problems.Add(ProblemIds.DuplicateSublayer, new Origin(property.Name, "", "", 1), property.Name);
            }
            else if (sublayer.TypeName == block.Name || sublayer.TypeName == block.ContainingType.Name || sublayers.Any(other => other.TypeName == sublayer.TypeName))
            {
                problems.Add(ProblemIds.TypeNameTaken, new Origin(property.Name), property.Name, sublayer.TypeName);
            }

            sublayers.Add(sublayer);
        }

        if (sublayers.Count == 0 && problems.Count == before)
        {
            problems.Add(ProblemIds.BlockWithoutSublayers, new Origin(block.Name), block.Name);
        }

        if (problems.Count > before)
        {
            return null;
        }

        var arguments = new AttributeArguments(block.Find("Block"));
        return new BlockSpec(
            block.Name,
            arguments.Get("Repeat", 0),
            arguments.Get("Parallel", false),
            arguments.Get("PostNorm", false),
            new EquatableArray<SublayerSpec>(sublayers));
    }
}
