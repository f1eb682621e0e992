using ModelCompiler.Tests.Models;

namespace ModelCompiler.Tests.Training;

/// <summary>LoRA on the GPU, emulated and real.</summary>
public class LoraReferenceTests : LoraReferenceTests<ModelBackends>;
