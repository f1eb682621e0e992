namespace ModelCompiler.Models;

/// <summary>LoRA on every linear projection of Llama 2 7B, whose weights are held in bfloat16.</summary>
[FineTune<Llama2_7B>]
[Frozen(Storage.BFloat16)]
[Lora(Rank = 16, Alpha = 32, Targets = Projections.All)]
public partial class Llama2_7B_Lora;
