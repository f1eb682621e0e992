namespace ModelCompiler.Models;

/// <summary>QLoRA: LoRA on every linear projection of Llama 3 8B, whose projections are held in 4 bits.</summary>
[FineTune<Llama3_8B>]
[Frozen(Storage.NF4, BlockSize = 64, DoubleQuantized = true)]
[Lora(Rank = 16, Alpha = 32, Targets = Projections.All)]
public partial class Llama3_8B_QLora;
