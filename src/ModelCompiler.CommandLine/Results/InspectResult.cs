namespace ModelCompiler.CommandLine.Results;

/// <summary>Result of <c>mc inspect</c>.</summary>
internal sealed record InspectResult(string Recipe, string Architecture, long Parameters, long Trainable, TensorLine[] Tensors, SlotLine[] Slots, string[] Files);

/// <summary>One parameter by its path, with its shape, and the checkpoint's tensor that it is or is a part of; null for an adapter's.</summary>
internal sealed record TensorLine(string Name, string? Tensor, int[] Shape, string Dtype, bool Trainable);

/// <summary>One adapter slot, in all layers that have it; null: all, or it is the head's.</summary>
internal sealed record SlotLine(string Path, string Module, string Method, int Rank, int MaximumRank, float Alpha, float Scale, float Dropout, string? Layers);
