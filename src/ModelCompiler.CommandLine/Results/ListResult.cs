namespace ModelCompiler.CommandLine.Results;

/// <summary>Result of <c>mc list</c>.</summary>
internal sealed record ListResult(ArchitectureLine[] Architectures, RecipeLine[] Recipes);

/// <summary>One architecture.</summary>
internal sealed record ArchitectureLine(string Name, long Parameters);

/// <summary>One recipe, with its number of trainable parameters at the declared ranks.</summary>
internal sealed record RecipeLine(string Name, string Architecture, string Adapter, string Storage, long Trainable);
