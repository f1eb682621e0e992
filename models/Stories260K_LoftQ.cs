namespace ModelCompiler.Models;

/// <summary><see cref="Stories260K_QLora"/> whose adapters start as what four bits lose of the weights, the two fitted to each other five times.</summary>
[FineTune<Stories260K>]
[Frozen(Storage.NF4, BlockSize = 32, DoubleQuantized = true)]
[Lora(Rank = 8, Alpha = 16, Targets = Projections.All, Initialization = LoraInitialization.Loftq, Iterations = 5)]
public partial class Stories260K_LoftQ;
