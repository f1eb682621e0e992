namespace ModelCompiler.Tests.Models;

/// <summary>stories260K on Reference and the CPU.</summary>
public class StoriesTests : StoriesTests<ModelBackends>;
