namespace ModelCompiler.GpuBenchmarks;

/// <summary>One measured figure; the peer's of the same name is compared with it.</summary>
/// <param name="Name">What was measured.</param>
/// <param name="Unit">Its unit.</param>
/// <param name="Value">The median.</param>
internal sealed record Figure(string Name, string Unit, double Value);
