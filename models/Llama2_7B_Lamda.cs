namespace ModelCompiler.Models;

/// <summary>LaMDA on every linear projection of Llama 2 7B with the rank, scale and dropout of its authors' runs.</summary>
[FineTune<Llama2_7B>]
[Frozen(Storage.BFloat16)]
[Lamda(Rank = 64, Alpha = 16, Dropout = 0.1f, Targets = Projections.All)]
public partial class Llama2_7B_Lamda;
