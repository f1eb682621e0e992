namespace ModelCompiler.Tests.Models;

/// <summary>stories260K on the GPU, emulated and real.</summary>
public class StoriesTests : StoriesTests<ModelBackends>;
