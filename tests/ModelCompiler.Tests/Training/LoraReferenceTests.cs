using ModelCompiler.Tests.Models;

namespace ModelCompiler.Tests.Training;

/// <summary>LoRA on Reference and the CPU.</summary>
public class LoraReferenceTests : LoraReferenceTests<ModelBackends>;
