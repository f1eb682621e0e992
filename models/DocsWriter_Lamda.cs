namespace ModelCompiler.Models;

/// <summary>
/// LaMDA on every linear projection of the quickstart's model, at a rank that trains a twelfth of its LoRA's parameters once B is frozen. Its
/// scale of 16 makes up for a start from singular vectors of length 1 and a learning rate that suits LoRA.
/// </summary>
[FineTune<DocsWriter>]
[Lamda(Rank = 40, Alpha = 640, Targets = Projections.All)]
public partial class DocsWriter_Lamda;
