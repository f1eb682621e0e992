using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using ModelCompiler.Compiler.Description;
using ModelCompiler.Operations;
using ModelCompiler.Planning;

namespace ModelCompiler.Generators.Parsing;

/// <summary>Reads one property of the block.</summary>
internal static class SublayerParser
{
    /// <summary>What only attention can have: it is about queries and keys.</summary>
    private static readonly string[] OfAttention = ["Rotary", "QueryKeyNorm"];

    /// <summary>A partial property of a block, or any property with a sublayer's attribute.</summary>
    public static bool IsSublayer(IPropertySymbol property) =>
        property.IsPartialDefinition || ModelAttributes.OnSublayer.Any(property.Has);

    public static SublayerSpec? Parse(IPropertySymbol property, int width, ProblemList problems)
    {
        int before = problems.Count;
        var origin = new Origin(property.Name);
        CheckForm(property, origin, problems);

        string[] kinds = [.. ModelAttributes.Kinds.Where(property.Has)];
        if (kinds.Length == 0)
        {
            problems.Add(ProblemIds.SublayerWithoutKind, origin, property.Name);
        }
        else if (kinds.Length > 1)
        {
            problems.Add(ProblemIds.SublayerOfTwoKinds, origin with { Attribute = kinds[1] }, property.Name, kinds[0], kinds[1]);
        }

        foreach (string name in OfAttention)
        {
            if (property.Has(name) && kinds.Length > 0 && !kinds.Contains("Attention"))
            {
                problems.Add(ProblemIds.AttentionPartElsewhere, origin with { Attribute = name }, property.Name, name);
            }
        }

        string? typeName = TypeName(property);
        if (typeName is null)
        {
            problems.Add(ProblemIds.TypeNotASimpleName, origin, property.Name, property.Type.ToDisplayString(SymbolDisplayFormat.MinimallyQualifiedFormat));
        }
        else
        {
            ClassRules.CheckName(typeName, "a sublayer's type", origin, problems);
        }

        if (ReservedNames.IsReservedProperty(property.Name))
        {
            problems.Add(ProblemIds.ReservedName, origin, property.Name, "a sublayer");
        }

        NormSpec? norm = NormParser.Parse(property, origin, problems);
        if (problems.Count > before)
        {
            return null;
        }

        var arguments = new AttributeArguments(property.Find(kinds[0]));
        return new SublayerSpec(
            property.Name,
            typeName!,
            norm,
            kinds[0] == "Attention" ? Attention(arguments, width, property) : null,
            kinds[0] == "Attention" ? null : FeedForward(kinds[0], arguments),
            property.Has("LayerScale"),
            property.DeclaredAccessibility == Accessibility.Public ? "public" : "internal");
    }

    private static void CheckForm(IPropertySymbol property, Origin origin, ProblemList problems)
    {
        if (!property.IsFromSource())
        {
            return;
        }

        if (!property.IsPartialDefinition || property.PartialImplementationPart is { } written && !written.IsGenerated())
        {
            problems.Add(ProblemIds.SublayerNotPartial, origin, property.Name);
        }

        if (property.IsStatic || property.IsIndexer || property.SetMethod is not null || HasOtherModifiers(property))
        {
            problems.Add(ProblemIds.SublayerNotGetOnly, origin, property.Name);
        }

        INamedTypeSymbol architecture = property.ContainingType.ContainingType;
        if (property.DeclaredAccessibility != Accessibility.Public && !(property.DeclaredAccessibility == Accessibility.Internal && architecture.DeclaredAccessibility != Accessibility.Public))
        {
            problems.Add(ProblemIds.LessAccessible, origin, property.Name, "public", architecture.Name);
        }
    }

    private static bool HasOtherModifiers(IPropertySymbol property) => property.DeclaringSyntaxReferences.FirstOrDefault()?.GetSyntax() is PropertyDeclarationSyntax syntax
        && syntax.Modifiers.Any(static modifier => modifier.Kind() is not (SyntaxKind.PublicKeyword or SyntaxKind.InternalKeyword or SyntaxKind.ProtectedKeyword or SyntaxKind.PrivateKeyword or SyntaxKind.PartialKeyword));

    /// <summary>
    /// The type's name as the user wrote it: the type is generated, so while the generator runs it does not exist. Null: not a simple name.
    /// </summary>
    public static string? TypeName(IPropertySymbol property) => property.DeclaringSyntaxReferences.FirstOrDefault()?.GetSyntax() switch
    {
        null => property.Type.Name,
        PropertyDeclarationSyntax { Type: IdentifierNameSyntax { Identifier.ValueText: var name } } => name,
        _ => null,
    };

    // A head width of 0 tells the validation that the heads do not divide the width.
    private static AttentionSpec Attention(AttributeArguments arguments, int width, IPropertySymbol property)
    {
        int heads = arguments.Get("Heads", 0);
        int keyValueHeads = arguments.Get("KeyValueHeads", 0);
        int headWidth = arguments.Get("HeadWidth", 0);
        if (headWidth == 0 && heads > 0 && width > 0 && width % heads == 0)
        {
            headWidth = width / heads;
        }

        return new AttentionSpec(
            new AttentionShape(heads, keyValueHeads == 0 ? heads : keyValueHeads, headWidth),
            arguments.Get("Bias", false),
            arguments.Get("OutputBias", false),
            property.Find("Rotary") is { } rotary ? Rotary(new AttributeArguments(rotary), headWidth) : null,
            property.Find("QueryKeyNorm") is { } norm ? new NormSpec(NormKind.Rms, new NormShape(new AttributeArguments(norm).Get("Epsilon", 1e-5f)), Bias: false) : null,
            property.Find("Rotary") is { } where ? new AttributeArguments(where).Text("Layers") : "");
    }

    private static RotaryShape Rotary(AttributeArguments arguments, int headWidth)
    {
        int width = arguments.Get("Width", 0);
        return new RotaryShape(headWidth, width == 0 ? headWidth : width, arguments.Get("Theta", 10_000f), Scaling(arguments));
    }

    // Numbers that the kind has no use for stay, so that the validation sees them.
    private static FrequencyScaling Scaling(AttributeArguments arguments)
    {
        var scaling = new FrequencyScaling(
            (RotaryScaling)arguments.Get("Scaling", 0),
            arguments.Get("Factor", 0f),
            arguments.Get("LowFrequencyFactor", 0f),
            arguments.Get("HighFrequencyFactor", 0f),
            arguments.Get("OriginalContext", 0));
        return scaling.Kind != RotaryScaling.Llama3 ? scaling : scaling with
        {
            LowFrequencyFactor = scaling.LowFrequencyFactor == 0 ? 1 : scaling.LowFrequencyFactor,
            HighFrequencyFactor = scaling.HighFrequencyFactor == 0 ? 4 : scaling.HighFrequencyFactor,
            OriginalContext = scaling.OriginalContext == 0 ? 8192 : scaling.OriginalContext,
        };
    }

    private static FeedForwardSpec FeedForward(string kind, AttributeArguments arguments)
    {
        var parsed = (FeedForwardKind)Enum.Parse(typeof(FeedForwardKind), kind);
        return new FeedForwardSpec(parsed, arguments.Get("Hidden", 0), arguments.Get("Bias", parsed == FeedForwardKind.Gelu));
    }
}
