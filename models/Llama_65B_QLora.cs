namespace ModelCompiler.Models;

/// <summary>QLoRA as Dettmers et al. 2023 (section 5) fine-tuned LLaMA 65B: rank 64 on every linear projection, whose weights are held in 4 bits.</summary>
[FineTune<Llama_65B>]
[Frozen(Storage.NF4, BlockSize = 64, DoubleQuantized = true)]
[Lora(Rank = 64, Alpha = 16, Targets = Projections.All)]
public partial class Llama_65B_QLora;
