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

/// <summary>Rank-stabilized LoRA on all seven projections.</summary>
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

/// <summary>The same over NF4 weights whose factors stay in fp32.</summary>
[FineTune<Stories260K>]
[Frozen(Storage.NF4, BlockSize = 128)]
[Lora(Rank = 4, Alpha = 8, Targets = Projections.Query | Projections.Value)]
public partial class StoriesNf4;

/// <summary>The same over 8-bit weights.</summary>
[FineTune<Stories260K>]
[Frozen(Storage.Int8)]
[Lora(Rank = 4, Alpha = 8, Targets = Projections.Query | Projections.Value)]
public partial class StoriesInt8;

/// <summary>The same over 4-bit groups, wherever the inputs are a multiple of the group.</summary>
[FineTune<Stories260K>]
[Frozen(Storage.Int4, BlockSize = 32, Targets = Projections.Attention | Projections.Gate | Projections.Up)]
[Lora(Rank = 4, Alpha = 8, Targets = Projections.Query | Projections.Value)]
public partial class StoriesInt4;

/// <summary>QA-LoRA with dropout in groups of one and of two blocks, and over weights that are no codes.</summary>
[FineTune<Stories260K>]
[Frozen(Storage.Int4, BlockSize = 32, Targets = Projections.Attention)]
[QaLora(Rank = 2, Alpha = 3, Dropout = 0.1f, Targets = Projections.Query | Projections.Value | Projections.Output)]
[QaLora(Rank = 1, GroupSize = 64, Dropout = 0.2f, FirstLayer = 2, Targets = Projections.Key)]
[QaLora(Rank = 3, Alpha = 6, GroupSize = 43, Targets = Projections.Down)]
public partial class StoriesQaLora;

/// <summary>QA-LoRA in groups of one and of two blocks, all over Int4.</summary>
[FineTune<Stories260K>]
[Frozen(Storage.Int4, BlockSize = 32, Targets = Projections.Attention | Projections.Gate)]
[QaLora(Rank = 2, Alpha = 3, Targets = Projections.Attention)]
[QaLora(Rank = 1, Alpha = 5, GroupSize = 64, FirstLayer = 2, Targets = Projections.Gate)]
public partial class StoriesQaLoraInt4;

/// <summary>QA-LoRA in groups smaller than the blocks: it trains, and has to be merged in floats.</summary>
#pragma warning disable MC0234 // This is what it is for.
[FineTune<Stories260K>]
[Frozen(Storage.Int4, BlockSize = 32, Targets = Projections.Query)]
[QaLora(Rank = 4, GroupSize = 16, Targets = Projections.Query)]
public partial class StoriesQaLoraNarrow;
#pragma warning restore MC0234

/// <summary>LoRA that an exported <see cref="StoriesQaLoraInt4"/> fits.</summary>
[FineTune<Stories260K>]
[Frozen(Storage.Int4, BlockSize = 32, Targets = Projections.Attention | Projections.Gate)]
[Lora(Rank = 2, Alpha = 3, Targets = Projections.Attention)]
[Lora(Rank = 1, Alpha = 5, FirstLayer = 2, Targets = Projections.Gate)]
public partial class StoriesQaLoraFolded;

/// <summary>QLoRA on a model whose weights outweigh everything else of a checkpoint.</summary>
[FineTune<DocsWriter>]
[Frozen(Storage.NF4, DoubleQuantized = true)]
[Lora(Rank = 2)]
public partial class DocsWriterNf4;

/// <summary>The plain LoRA that a PiSSA of half the rank is exported as.</summary>
[FineTune<Stories260K>]
[Lora(Rank = 8, Alpha = 16)]
public partial class StoriesLoraEight;

/// <summary>LoRA that starts from normal numbers.</summary>
[FineTune<Stories260K>]
[Lora(Rank = 4, Alpha = 8, Initialization = LoraInitialization.Gaussian)]
public partial class StoriesGaussian;

/// <summary>LoRA that starts from the largest singular values of its weights.</summary>
[FineTune<Stories260K>]
[Lora(Rank = 4, Alpha = 8, Initialization = LoraInitialization.Pissa)]
public partial class StoriesPissa;

/// <summary>The same over weights that are quantized after that.</summary>
[FineTune<Stories260K>]
[Frozen(Storage.NF4)]
[Lora(Rank = 4, Alpha = 8, Initialization = LoraInitialization.Pissa)]
public partial class StoriesPissaNf4;

/// <summary>LoRA that starts from what NF4 loses.</summary>
[FineTune<Stories260K>]
[Frozen(Storage.NF4)]
[Lora(Rank = 4, Alpha = 8, Initialization = LoraInitialization.Loftq)]
public partial class StoriesLoftq;

/// <summary>The same, fitted five times, with double quantization.</summary>
[FineTune<Stories260K>]
[Frozen(Storage.NF4, DoubleQuantized = true)]
[Lora(Rank = 4, Alpha = 8, Initialization = LoraInitialization.Loftq, Iterations = 5)]
public partial class StoriesLoftqFive;

/// <summary>The plain LoRA over the codes that the last leaves.</summary>
[FineTune<Stories260K>]
[Frozen(Storage.NF4, DoubleQuantized = true)]
[Lora(Rank = 4, Alpha = 8)]
public partial class StoriesLoraFourNf4;

/// <summary>LaMDA of all starts; on some projections of the upper layers, so that variants of the block differ.</summary>
[FineTune<Stories260K>]
[Lamda(Rank = 4, Alpha = 8, Dropout = 0.1f, FreezeUntil = 0.5, FirstLayer = 2, Targets = Projections.Attention)]
[Lamda(Rank = 6, Alpha = 6, FreezeUntil = 0.8, FirstLayer = 2, Targets = Projections.FeedForward)]
public partial class StoriesLamda;

/// <summary>The same from the residual, with the tied head.</summary>
[FineTune<Stories260K>]
[Lamda(Rank = 4, Alpha = 8, FreezeUntil = 0.5, Initialization = LamdaInitialization.SpectralResidual, Targets = Projections.All | Projections.Head)]
public partial class StoriesLamdaResidual;

/// <summary>The same from random numbers.</summary>
[FineTune<Stories260K>]
[Lamda(Rank = 4, Alpha = 8, FreezeUntil = 0.5, Initialization = LamdaInitialization.Random)]
public partial class StoriesLamdaRandom;

/// <summary>LaMDA over 4-bit weights, from their residual.</summary>
[FineTune<Stories260K>]
[Frozen(Storage.NF4, BlockSize = 128)]
[Lamda(Rank = 4, Alpha = 8, FreezeUntil = 0.5, Initialization = LamdaInitialization.SpectralResidual)]
public partial class StoriesLamdaNf4;

/// <summary>DoRA with dropout, on the upper layers, so that variants of the block differ.</summary>
[FineTune<Stories260K>]
[Dora(Rank = 4, Alpha = 8, Dropout = 0.1f, FirstLayer = 2, Targets = Projections.Attention)]
[Dora(Rank = 6, Alpha = 6, RankStabilized = true, FirstLayer = 2, Targets = Projections.FeedForward)]
public partial class StoriesDora;

/// <summary>DoRA everywhere, on the tied head too.</summary>
[FineTune<Stories260K>]
[Dora(Rank = 4, Alpha = 8, Targets = Projections.All | Projections.Head)]
public partial class StoriesDoraHead;

/// <summary>DoRA over 16-bit weights.</summary>
[FineTune<Stories260K>]
[Frozen(Storage.BFloat16)]
[Dora(Rank = 4, Alpha = 8)]
public partial class StoriesDoraBFloat16;

/// <summary>DoRA over 4-bit weights.</summary>
[FineTune<Stories260K>]
[Frozen(Storage.NF4, BlockSize = 128)]
[Dora(Rank = 4, Alpha = 8)]
public partial class StoriesDoraNf4;

/// <summary>AdaLoRA with dropout, on the upper layers, so that variants of the block differ; of two initial ranks under one budget.</summary>
[FineTune<Stories260K>]
[AdaLora(Rank = 2, InitialRank = 4, Alpha = 8, Dropout = 0.1f, Warmup = 0.2, Final = 0.25, Interval = 2, FirstLayer = 2, Targets = Projections.Attention)]
[AdaLora(Rank = 4, Alpha = 6, Warmup = 0.2, Final = 0.25, Interval = 2, FirstLayer = 2, Targets = Projections.FeedForward)]
public partial class StoriesAdaLora;

/// <summary>AdaLoRA everywhere, on the tied head too, over 4-bit weights and without regularization.</summary>
[FineTune<Stories260K>]
[Frozen(Storage.NF4, BlockSize = 128)]
[AdaLora(Rank = 2, InitialRank = 4, Alpha = 8, Interval = 1, Final = 0, Orthogonality = 0, Targets = Projections.All | Projections.Head)]
public partial class StoriesAdaLoraNf4;

/// <summary>DoRA on projections with biases.</summary>
[FineTune<GptNanoSort>]
[Dora(Rank = 2, Alpha = 4)]
public partial class GptNanoSortDora;

/// <summary>Adapters of two scales over matrices of more than one block of rows.</summary>
[FineTune<DocsWriter>]
[Lora(Rank = 2, Alpha = 6, Targets = Projections.Attention)]
[Lora(Rank = 3, Alpha = 5, RankStabilized = true, FirstLayer = 2, Targets = Projections.FeedForward)]
public partial class DocsWriterScales;

/// <summary>The same over 4-bit weights.</summary>
[FineTune<DocsWriter>]
[Frozen(Storage.NF4, DoubleQuantized = true)]
[Lora(Rank = 2, Alpha = 6, Targets = Projections.Attention)]
[Lora(Rank = 3, Alpha = 5, RankStabilized = true, FirstLayer = 2, Targets = Projections.FeedForward)]
public partial class DocsWriterScalesNf4;

/// <summary>DoRA of two scales over 16-bit matrices of more than one block of rows.</summary>
[FineTune<DocsWriter>]
[Frozen(Storage.BFloat16)]
[Dora(Rank = 2, Alpha = 6, Targets = Projections.Attention)]
[Dora(Rank = 3, Alpha = 5, RankStabilized = true, FirstLayer = 2, Targets = Projections.FeedForward)]
public partial class DocsWriterScalesDora;
