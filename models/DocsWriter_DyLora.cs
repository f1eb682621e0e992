namespace ModelCompiler.Models;

/// <summary>DyLoRA on every linear projection of the quickstart's model: each rank up to that of its LoRA.</summary>
[FineTune<DocsWriter>]
[DyLora(Rank = 32, Alpha = 64, Targets = Projections.All)]
public partial class DocsWriter_DyLora;
