using ModelCompiler.Tests.Conformance;
using ModelCompiler.Tests.Models;
using ModelCompiler.Tests.Training;

namespace ModelCompiler.Torch.Tests;

/// <summary>stories260K on TorchSharp.</summary>
public class StoriesTests : StoriesTests<ModelBackends>;

/// <summary>LoRA on TorchSharp.</summary>
public class LoraReferenceTests : LoraReferenceTests<ModelBackends>;

/// <summary>Every operation of TorchSharp's backend.</summary>
public class ConformanceTests : ConformanceTests<TestedBackends>;
