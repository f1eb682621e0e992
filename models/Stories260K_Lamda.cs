namespace ModelCompiler.Models;

/// <summary>
/// LaMDA on every linear projection of stories260K. Of rank 32 each trains 1,024 parameters once B is frozen, as many as LoRA of rank 8 on a
/// square projection.
/// </summary>
[FineTune<Stories260K>]
[Lamda(Rank = 32, Targets = Projections.All)]
public partial class Stories260K_Lamda;
