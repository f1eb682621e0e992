namespace ModelCompiler.Models;

/// <summary>
/// LaMDA++ on every linear projection of stories260K, with the parameters of <see cref="Stories260K_Lamda"/>: ranks from 16 to 64, 32 being all that
/// key and value allow.
/// </summary>
[FineTune<Stories260K>]
[LamdaPlusPlus(Rank = 32, Targets = Projections.All)]
public partial class Stories260K_LamdaPlusPlus;
