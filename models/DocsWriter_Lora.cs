namespace ModelCompiler.Models;

/// <summary>LoRA on every linear projection of the quickstart's model: it learns to write the summary of an API from its signature.</summary>
[FineTune<DocsWriter>]
[Lora(Rank = 32, Alpha = 64, Targets = Projections.All)]
public partial class DocsWriter_Lora;
