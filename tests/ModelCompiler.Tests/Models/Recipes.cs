using ModelCompiler.Models;

namespace ModelCompiler.Tests.Models;

/// <summary>LoRA as in lora_reference.json: r 4, alpha 8 on query and value.</summary>
[FineTune<Stories260K>]
[Lora(Rank = 4, Alpha = 8, Targets = Projections.Query | Projections.Value)]
public partial class StoriesLoraQueryValue;

/// <summary>The same over weights in bfloat16.</summary>
[FineTune<Stories260K>]
[Frozen(Storage.BFloat16)]
[Lora(Rank = 4, Alpha = 8, Targets = Projections.Query | Projections.Value)]
public partial class StoriesLoraBFloat16;

/// <summary>Rank-stabilised LoRA on all seven projections.</summary>
[FineTune<Stories260K>]
[Lora(Rank = 4, Alpha = 8, RankStabilized = true, Targets = Projections.All)]
public partial class StoriesLoraStabilized;

/// <summary>Dropout on the adapters' inputs, and adapters from the third layer on only.</summary>
[FineTune<Stories260K>]
[Lora(Rank = 4, Alpha = 8, Dropout = 0.1f, FirstLayer = 2, Targets = Projections.Attention)]
[Lora(Rank = 6, Alpha = 6, Dropout = 0.2f, FirstLayer = 2, Targets = Projections.FeedForward)]
public partial class StoriesLoraDropout;

/// <summary>LoRA on the head, which is the token embedding.</summary>
[FineTune<Stories260K>]
[Lora(Rank = 2, Targets = Projections.Head)]
public partial class StoriesLoraHead;
