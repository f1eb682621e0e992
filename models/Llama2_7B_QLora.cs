namespace ModelCompiler.Models;

/// <summary>QLoRA: LoRA on every linear projection of Llama 2 7B, whose projections are held in 4 bits.</summary>
[FineTune<Llama2_7B>]
[Frozen(Storage.NF4, BlockSize = 64, DoubleQuantized = true)]
[Lora(Rank = 16, Alpha = 32, Targets = Projections.All)]
public partial class Llama2_7B_QLora;
