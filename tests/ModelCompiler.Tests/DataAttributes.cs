namespace ModelCompiler.Tests;

/// <summary>A test that needs a file or folder of the real data; skipped where it is absent.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class DataFactAttribute : FactAttribute
{
    /// <summary>Creates the attribute.</summary>
    /// <param name="relative">The file or folder needed, relative to the data folder.</param>
    public DataFactAttribute(string relative) => Skip = TestData.WhyAbsent(relative);
}

/// <summary>A theory that needs a file or folder of the real data; skipped where it is absent.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class DataTheoryAttribute : TheoryAttribute
{
    /// <summary>Creates the attribute.</summary>
    /// <param name="relative">The file or folder needed, relative to the data folder.</param>
    public DataTheoryAttribute(string relative) => Skip = TestData.WhyAbsent(relative);
}
