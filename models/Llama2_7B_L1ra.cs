namespace ModelCompiler.Models;

/// <summary>L1RA on every linear projection of Llama 2 7B, as its authors' experiments: rank 16 on average, at most 32, over NF4.</summary>
[FineTune<Llama2_7B>]
[Frozen(Storage.NF4, BlockSize = 64, DoubleQuantized = true)]
[L1ra(Rank = 16, Alpha = 16, Dropout = 0.1f, Targets = Projections.All)]
public partial class Llama2_7B_L1ra;
