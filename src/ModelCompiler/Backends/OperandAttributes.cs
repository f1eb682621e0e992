namespace ModelCompiler.Backends;

/// <summary>
/// The tensor is an activation or a gradient of one: a plan may keep it in bfloat16, and then kernels that compute in Float32 get a widened
/// copy. A tensor of <see cref="IBackend"/> without this mark is a parameter, a statistic, a cache or an id.
/// </summary>
[AttributeUsage(AttributeTargets.Parameter)]
public sealed class ActivationAttribute : Attribute;

/// <summary>The kernel writes the tensor and does not read what was there. Without this mark or <see cref="AccumulatedAttribute"/> it reads it.</summary>
[AttributeUsage(AttributeTargets.Parameter)]
public sealed class WrittenAttribute : Attribute;

/// <summary>The kernel reads the tensor and writes it: += of a gradient or a sum, or a state.</summary>
[AttributeUsage(AttributeTargets.Parameter)]
public sealed class AccumulatedAttribute : Attribute;

/// <summary>Of this matrix the kernel touches one row for each row of the activation.</summary>
[AttributeUsage(AttributeTargets.Parameter)]
public sealed class GatheredAttribute : Attribute;
