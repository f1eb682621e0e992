namespace ModelCompiler.Models;

/// <summary>DoRA on every linear projection of stories260K, of the rank of <see cref="Stories260K_Lora"/>.</summary>
[FineTune<Stories260K>]
[Dora(Rank = 8, Alpha = 16, Targets = Projections.All)]
public partial class Stories260K_Dora;
