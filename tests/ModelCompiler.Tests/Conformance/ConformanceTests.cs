namespace ModelCompiler.Tests.Conformance;

/// <summary>Every operation of Reference and of the CPU.</summary>
public class ConformanceTests : ConformanceTests<TestedBackends>;
