namespace ModelCompiler.Models;

/// <summary>LaMDA on every linear projection of stories260K.</summary>
[FineTune<Stories260K>]
[Lamda(Rank = 8, Alpha = 16, Targets = Projections.All)]
public partial class Stories260K_Lamda;
