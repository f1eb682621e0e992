using ModelCompiler.Models;

namespace ModelCompiler.Tests.Models;

/// <summary>LaMDA++ on the upper layers and the tied head, and LoRA beside it.</summary>
[FineTune<Stories260K>]
[LamdaPlusPlus(Rank = 6, Alpha = 12, Dropout = 0.1f, FreezeUntil = 0.5, FirstLayer = 2, Targets = Projections.Attention)]
[LamdaPlusPlus(Rank = 4, FreezeUntil = 0.8, Initialization = LamdaInitialization.SpectralResidual, Targets = Projections.Head)]
[Lora(Rank = 3, Targets = Projections.FeedForward)]
public partial class StoriesLamdaPlusPlus;
