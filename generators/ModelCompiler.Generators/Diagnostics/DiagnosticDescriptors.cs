using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using ModelCompiler.Compiler.Description;

namespace ModelCompiler.Generators.Diagnostics;

/// <summary>The one table of diagnostics. Each has a page in docs/diagnostics, a row in AnalyzerReleases and its tests.</summary>
internal static class DiagnosticDescriptors
{
    /// <summary>Folder of the help pages; a published repository's address goes in front of it.</summary>
    private const string HelpPages = "docs/diagnostics/";

    /// <summary>Every diagnostic, by ID.</summary>
    public static readonly ImmutableArray<DiagnosticDescriptor> All =
    [
        Error(ProblemIds.NotPartial, "Class is not partial",
            "'{0}' must be partial: the compiler writes its other half"),
        Error(ProblemIds.MissingBlock, "Transformer without a block",
            "'{0}' has no block: declare a nested partial class with [Block(Repeat = ...)]"),
        Error(ProblemIds.SeveralBlocks, "Transformer with several blocks",
            "'{0}' has more than one block ({1}): a transformer repeats one"),
        Error(ProblemIds.BlockNotPartial, "Block is not partial",
            "Block '{0}' must be partial: the compiler writes its other half"),
        Error(ProblemIds.SublayerNotPartial, "Sublayer is not a partial property",
            "Sublayer '{0}' must be a partial property: the compiler writes its getter"),
        Error(ProblemIds.SublayerWithoutKind, "Sublayer without a kind",
            "Sublayer '{0}' does not say what it is: add [Attention], [SwiGlu], [GeGlu] or [Gelu]"),
        Error(ProblemIds.SublayerOfTwoKinds, "Sublayer of two kinds",
            "Sublayer '{0}' is both [{1}] and [{2}]: keep one, or declare two sublayers"),
        Error(ProblemIds.MissingTokenEmbedding, "Transformer without a token embedding",
            "'{0}' has no [TokenEmbedding]: add it to the class"),
        Error(ProblemIds.NotATransformer, "Recipe over a class that is not a transformer",
            "'{0}' fine-tunes '{1}', which has no [Transformer]"),
        Error(ProblemIds.ArchitectureAndRecipe, "Architecture and recipe in one class",
            "'{0}' has [Transformer] and [FineTune]: a recipe is a class of its own beside its architecture"),
        Error(ProblemIds.NotTopLevel, "Description in a nested, generic or file-local class",
            "'{0}' is {1}: a description must be an ordinary class of a namespace, without type parameters"),
        Error(ProblemIds.NotAPlainClass, "Description in a static or abstract class or a record",
            "'{0}' is {1}: a description must be an ordinary class"),
        Error(ProblemIds.TwoNorms, "Two norms in one place",
            "'{0}' has [RmsNorm] and [LayerNorm]: keep one"),
        Error(ProblemIds.RotaryWithoutAttention, "Rotary positions without attention",
            "Sublayer '{0}' has [Rotary] but is not attention: only queries and keys rotate"),
        Error(ProblemIds.TypeNameTaken, "Sublayer type name is taken",
            "Sublayer '{0}' has the type name '{1}', which another part of the model has: the compiler generates a class of that name, so give it its own"),
        Error(ProblemIds.TypeNotASimpleName, "Sublayer type is not a simple name",
            "Sublayer '{0}' has the type '{1}': write a simple name such as 'Attention', and the compiler generates that class"),
        Error(ProblemIds.BlockWithoutSublayers, "Block without sublayers",
            "Block '{0}' has no sublayers: declare partial properties with [Attention] or a feed-forward attribute"),
        Error(ProblemIds.SublayerNotGetOnly, "Sublayer is not a get-only instance property",
            "Sublayer '{0}' must be an instance property with a getter only: {{ get; }}"),
        Error(ProblemIds.DuplicateSublayer, "Sublayer declared twice",
            "Sublayer '{0}' is declared twice: names of sublayers are names of parameters"),
        Warning(ProblemIds.MisplacedBlock, "Block outside a transformer",
            "[Block] on '{0}' has no effect: it is not nested in a class with [Transformer]"),
        Warning(ProblemIds.MisplacedSublayer, "Sublayer outside a block",
            "[{0}] on '{1}' has no effect: it is not a property of a class with [Block]"),
        Warning(ProblemIds.MisplacedPart, "Attribute without the one it belongs to",
            "[{0}] on '{1}' has no effect: the class has no [{2}]"),
        Error(ProblemIds.LessAccessible, "Block or sublayer is not accessible enough",
            "'{0}' must be {1}: '{2}' is read through it, by recipes of other assemblies too"),
        Error(ProblemIds.ArchitectureUnreadable, "Architecture of another assembly cannot be read",
            "'{0}' in assembly '{1}' cannot be read as an architecture: build that assembly with this version of the compiler"),
        Error(ProblemIds.ReservedName, "Name is taken by generated code",
            "'{0}' cannot be the name of {1}: generated code has that name for something else"),

        Error(ProblemIds.HeadsDoNotDivideWidth, "Heads do not divide the width",
            "{0} heads do not divide the model's width of {1}: choose a divisor, or give HeadWidth"),
        Error(ProblemIds.KeyValueHeadsDoNotDivideHeads, "Key and value heads do not divide the heads",
            "{0} key and value heads do not divide {1} heads: each must serve the same number of query heads"),
        Error(ProblemIds.OddRotaryWidth, "Odd rotary width",
            "A rotary width of {0} is odd: channels rotate in pairs"),
        Error(ProblemIds.RotaryWidthAboveHeadWidth, "Rotary width above the head width",
            "A rotary width of {0} is above the head width of {1}"),
        Error(ProblemIds.SizeNotPositive, "Size is not positive",
            "{0} is {1}: it must be given and positive"),
        Error(ProblemIds.ContextNotPositive, "Context is not positive",
            "Transformer.Context is {0}: give the longest sequence in tokens"),
        Error(ProblemIds.RepeatNotPositive, "Repeat is not positive",
            "Block.Repeat is {0}: give the number of layers"),
        Error(ProblemIds.EpsilonNotPositive, "Epsilon is not positive",
            "{0}.Epsilon is {1}: it must be positive and finite, or a row of zeros divides by zero"),
        Error(ProblemIds.ThetaNotAboveOne, "Theta is not above one",
            "Rotary.Theta is {0}: it must be above 1 and finite"),
        Error(ProblemIds.SoftCapNegative, "Soft cap is negative",
            "Head.SoftCap is {0}: it must be positive, or 0 for none"),
        Error(ProblemIds.EmbeddingScaleUnusable, "Embedding scale is zero or not finite",
            "TokenEmbedding.Scale is {0}: it must be finite and not zero"),

        Error(ProblemIds.RankNotPositive, "Rank is not positive",
            "A rank of {0} adapts nothing: it must be positive"),
        Error(ProblemIds.RankTooLarge, "Rank above the projection's smaller side",
            "A rank of {0} is above the smaller side of {1}: a larger rank adds parameters that can express nothing more"),
        Error(ProblemIds.UnknownTarget, "Target that the architecture does not have",
            "'{0}' has no projection {1}: it has {2}"),
        Error(ProblemIds.SlotTakenTwice, "Two adapters on one slot",
            "{0} already carries [{1}]: one slot carries one adapter, so [{2}] needs other targets"),
        Error(ProblemIds.DropoutOutOfRange, "Dropout outside [0, 1)",
            "A dropout of {0} is outside [0, 1)"),
        Error(ProblemIds.AlphaUnusable, "Alpha is negative or not finite",
            "An alpha of {0} cannot scale an adapter: it must be positive, or 0 for the rank"),
        Error(ProblemIds.FirstLayerOutside, "First layer outside the model",
            "FirstLayer is {0}: layers are 0 to {1}"),
        Error(ProblemIds.NoAdapter, "Recipe without an adapter",
            "'{0}' trains nothing: add an adapter such as [Lora(Rank = 8)]"),
        Error(ProblemIds.UnknownMethod, "Unknown adapter method",
            "[{0}] is not a method that the compiler knows: it knows {1}"),
        Error(ProblemIds.NoTarget, "Adapter without targets",
            "[{0}] targets no projection: give Targets, for example Projections.All"),
        Error(ProblemIds.StartIterationsUnusable, "Iterations of a start unusable",
            "StartIterations is {0}: Loftq iterates once or more, other starts do not"),
        Error(ProblemIds.StartChangesTiedHead, "Start that changes the weight of a tied head",
            "Start {0} changes the weight it starts from, and the head's is the token embedding: leave the head out of Targets, or untie it"),
        Error(ProblemIds.NestedRanksDiffer, "Nested ranks that differ",
            "Every step draws one rank for all adapters, but this [DyLora] and the one before differ in {0}"),
        Error(ProblemIds.FreezeUntilOutOfRange, "FreezeUntil outside [0, 1]",
            "FreezeUntil is {0}: it is a part of the steps, from 0 to 1"),
        Error(ProblemIds.UnknownStart, "Unknown start of an adapter",
            "Start {0} is none of {1}"),
        Error(ProblemIds.NeverTrains, "Adapter that can never train",
            "Nothing would ever train: a random start has B = 0, and with FreezeUntil = 0 it stays so, which leaves S without a gradient"),
        Error(ProblemIds.GroupSizeDoesNotDivideInputs, "Group size does not divide the inputs",
            "A group size of {0} does not divide the inputs of {1}"),
        Error(ProblemIds.GroupSizeMissing, "Group size missing",
            "[QaLora] needs a GroupSize where no Int4 storage gives one: {0}"),
        Error(ProblemIds.RankAboveGroups, "Rank above the number of groups",
            "A rank of {0} is above the number of groups of {1}: a larger rank adds parameters that can express nothing more"),
        Warning(ProblemIds.MergeNotExact, "Adapter that its storage cannot take exactly",
            "Groups of {0} inputs cannot be merged exactly into {1}: only the zero points of Int4 take them, in blocks that divide the groups"),
        Error(ProblemIds.DoraBesideOthers, "DoRA beside another method",
            "[Dora] and [{0}] cannot share a recipe: an adapter file says once for all of its modules whether they are DoRA"),

        Error(ProblemIds.UnknownStorage, "Unknown storage",
            "Storage {0} is none of {1}"),
        Error(ProblemIds.BlockSizeUnusable, "Block size unusable",
            "A block size of {0} is not a power of two from 32 to 4096"),
        Error(ProblemIds.BlockSizeWithoutBlocks, "Block size without blocks",
            "{0} has no blocks: BlockSize belongs to NF4, Int8 and Int4"),
        Error(ProblemIds.DoubleQuantizedStorage, "Double quantisation of another storage than NF4",
            "{0} cannot be double quantised: only NF4 can"),
        Error(ProblemIds.GroupsDoNotDivideInputs, "Groups do not divide the inputs",
            "Int4 groups of {0} do not divide the inputs of {1}"),
        Error(ProblemIds.TiedHeadQuantized, "Quantised head that is tied to the embedding",
            "The head is the token embedding, which is looked up row by row and cannot be {0}: leave the head out of Targets, or untie it"),
        Error(ProblemIds.FrozenTwice, "Storage said twice",
            "The storage of {0} was said before: a second [Frozen] needs Targets of its own"),
        Error(ProblemIds.LoftqWithoutNf4, "LoftQ over weights that are not NF4",
            "Loftq starts from what NF4 loses of a weight, and the storage is another: {0}"),

        Error(ProblemIds.BudgetExceeded, "Memory budget exceeded",
            "A training step of '{0}' needs {1}, {2} bytes more than the budget of {3}, at batch {4} and sequence {5}: {6}"),
        Error(ProblemIds.BudgetUnreadable, "Memory budget cannot be read",
            "'{0}' is not a size: write a number and a unit, for example \"4 GiB\" or \"24 GB\""),
        Error(ProblemIds.BudgetSizeNotPositive, "Budget's batch, sequence or threads not positive",
            "MemoryBudget.{0} is {1}: it must be positive"),
        Error(ProblemIds.SequenceAboveContext, "Sequence above the context",
            "A sequence of {0} tokens is longer than the context of {1} of '{2}'"),
    ];

    private static readonly ImmutableDictionary<string, DiagnosticDescriptor> ById = All.ToImmutableDictionary(static descriptor => descriptor.Id);

    public static DiagnosticDescriptor Of(string id) => ById[id];

    private static DiagnosticDescriptor Error(string id, string title, string message) => Create(id, title, message, DiagnosticSeverity.Error);

    private static DiagnosticDescriptor Warning(string id, string title, string message) => Create(id, title, message, DiagnosticSeverity.Warning);

    private static DiagnosticDescriptor Create(string id, string title, string message, DiagnosticSeverity severity) => new(
        id, title, message, Category(id), severity, isEnabledByDefault: true, helpLinkUri: HelpPages + id + ".md");

    private static string Category(string id) => "ModelCompiler." + id.Substring(0, 4) switch
    {
        "MC00" => "Description",
        "MC01" => "Shapes",
        "MC02" => "Adapters",
        "MC03" => "Storage",
        _ => "Memory",
    };
}
