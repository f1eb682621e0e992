namespace ModelCompiler.Compiler.Description;

/// <summary>The diagnostics' IDs: MC00xx description, MC01xx shapes, MC02xx adapters, MC03xx storage, MC04xx memory. None is ever reused.</summary>
public static class ProblemIds
{
    public const string NotPartial = "MC0001";
    public const string MissingBlock = "MC0002";
    public const string SeveralBlocks = "MC0003";
    public const string BlockNotPartial = "MC0004";
    public const string SublayerNotPartial = "MC0005";
    public const string SublayerWithoutKind = "MC0006";
    public const string SublayerOfTwoKinds = "MC0007";
    public const string MissingTokenEmbedding = "MC0008";
    public const string NotATransformer = "MC0009";
    public const string ArchitectureAndRecipe = "MC0010";
    public const string NotTopLevel = "MC0011";
    public const string NotAPlainClass = "MC0012";
    public const string TwoNorms = "MC0013";
    public const string AttentionPartElsewhere = "MC0014";
    public const string TypeNameTaken = "MC0015";
    public const string TypeNotASimpleName = "MC0016";
    public const string BlockWithoutSublayers = "MC0017";
    public const string SublayerNotGetOnly = "MC0018";
    public const string DuplicateSublayer = "MC0019";
    public const string MisplacedBlock = "MC0020";
    public const string MisplacedSublayer = "MC0021";
    public const string MisplacedPart = "MC0022";
    public const string LessAccessible = "MC0023";
    public const string ArchitectureUnreadable = "MC0024";
    public const string ReservedName = "MC0025";
    public const string LanguageTooLow = "MC0026";
    public const string OwnConstructor = "MC0027";
    public const string OwnBaseClass = "MC0028";
    public const string NameUnreachable = "MC0029";
    public const string CompilerDefect = "MC0099";

    public const string HeadsDoNotDivideWidth = "MC0101";
    public const string KeyValueHeadsDoNotDivideHeads = "MC0102";
    public const string OddRotaryWidth = "MC0103";
    public const string RotaryWidthAboveHeadWidth = "MC0104";
    public const string SizeNotPositive = "MC0105";
    public const string ContextNotPositive = "MC0106";
    public const string RepeatNotPositive = "MC0107";
    public const string EpsilonNotPositive = "MC0108";
    public const string ThetaNotAboveOne = "MC0109";
    public const string SoftCapNegative = "MC0110";
    public const string EmbeddingScaleUnusable = "MC0111";
    public const string RotaryScalingUnusable = "MC0112";
    public const string SizeTooLarge = "MC0113";
    public const string RotaryLayersOutside = "MC0114";

    public const string RankNotPositive = "MC0201";
    public const string RankTooLarge = "MC0202";
    public const string UnknownTarget = "MC0203";
    public const string SlotTakenTwice = "MC0204";
    public const string DropoutOutOfRange = "MC0205";
    public const string AlphaUnusable = "MC0206";
    public const string LayersOutside = "MC0207";
    public const string NoAdapter = "MC0208";
    public const string UnknownMethod = "MC0209";
    public const string NoTarget = "MC0210";
    public const string StartIterationsUnusable = "MC0211";
    public const string StartChangesTiedHead = "MC0212";
    public const string NestedRanksDiffer = "MC0214";
    public const string FullRankShareOutOfRange = "MC0215";
    public const string FreezeUntilOutOfRange = "MC0220";
    public const string UnknownStart = "MC0221";
    public const string NeverTrains = "MC0222";
    public const string GroupSizeDoesNotDivideInputs = "MC0231";
    public const string GroupSizeMissing = "MC0232";
    public const string RankAboveGroups = "MC0233";
    public const string MergeNotExact = "MC0234";
    public const string DoraBesideOthers = "MC0240";
    public const string RankSchedulesDiffer = "MC0241";
    public const string MaximumRankBelowRank = "MC0242";
    public const string RankScheduleUnusable = "MC0243";
    public const string InitialRankBelowRank = "MC0251";
    public const string PartsOfStepsUnusable = "MC0252";
    public const string AllocationUnusable = "MC0253";
    public const string BudgetsDiffer = "MC0254";

    public const string UnknownStorage = "MC0301";
    public const string BlockSizeUnusable = "MC0302";
    public const string BlockSizeWithoutBlocks = "MC0303";
    public const string DoubleQuantizedStorage = "MC0304";
    public const string GroupsDoNotDivideInputs = "MC0305";
    public const string TiedHeadQuantized = "MC0306";
    public const string FrozenTwice = "MC0307";
    public const string LoftqWithoutNf4 = "MC0308";

    public const string BudgetExceeded = "MC0401";
    public const string BudgetUnreadable = "MC0402";
    public const string BudgetArgumentUnusable = "MC0403";
    public const string SequenceAboveContext = "MC0404";
    public const string DeviceWithoutProfile = "MC0405";
    public const string BudgetRankTooLarge = "MC0406";
    public const string BudgetSaidTwice = "MC0407";
    public const string PlannedPeak = "MC0408";
}
