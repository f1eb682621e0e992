namespace ModelCompiler.CommandLine.Results;

/// <summary>Result of <c>mc inspect</c>.</summary>
internal sealed record InspectResult(string Recipe, string Architecture, long Parameters, long Trainable, TensorLine[] Tensors, SlotLine[] Slots, string[] Files);

/// <summary>One tensor, with its shape as in the checkpoint.</summary>
internal sealed record TensorLine(string Name, int[] Shape, string Dtype, bool Trainable);

/// <summary>One adapter slot, in all layers that have it.</summary>
internal sealed record SlotLine(string Path, string Module, string Method, int Rank, int MaximumRank, float Alpha, float Scale, float Dropout, int FirstLayer);
