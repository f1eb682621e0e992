namespace ModelCompiler.Models;

/// <summary>LaMDA on every linear projection of the quickstart's model, at a rank that trains a twelfth of its LoRA's parameters once B is frozen.</summary>
[FineTune<DocsWriter>]
[Lamda(Rank = 40, Targets = Projections.All)]
public partial class DocsWriter_Lamda;
