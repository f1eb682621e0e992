namespace ModelCompiler.Models;

/// <summary>
/// AdaLoRA on every linear projection of stories260K, of rank 8 on average in the end. A and B start small, and smaller the narrower a model is: alpha makes up
/// for it. Sixty steps are few, so every other one allocates.
/// </summary>
[FineTune<Stories260K>]
[AdaLora(Rank = 8, Alpha = 384, Interval = 2, Targets = Projections.All)]
public partial class Stories260K_AdaLora;
