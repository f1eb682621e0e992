namespace ModelCompiler.Models;

/// <summary>QDyLoRA on <see cref="Falcon_40B"/> (Rajabzadeh et al. 2024, section 3): adapters of ranks 1 to 64 over 4-bit weights, in one run.</summary>
[FineTune<Falcon_40B>]
[Frozen(Storage.NF4, BlockSize = 64, DoubleQuantized = true)]
[DyLora(Rank = 64, Alpha = 16, Draw = RankDraw.PowersOfTwo, Targets = Projections.All)]
public partial class Falcon_40B_QDyLora;
