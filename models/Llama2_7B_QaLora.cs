namespace ModelCompiler.Models;

/// <summary>QA-LoRA on every linear projection of Llama 2 7B with the authors' settings: groups of 32, rank 64, alpha 16, no dropout.</summary>
[FineTune<Llama2_7B>]
[Frozen(Storage.Int4, BlockSize = 32)]
[QaLora(Rank = 64, Alpha = 16, Targets = Projections.All)]
public partial class Llama2_7B_QaLora;
