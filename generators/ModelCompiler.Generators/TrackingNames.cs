namespace ModelCompiler.Generators;

/// <summary>Names of the pipeline's steps, by which tests ask whether a step was cached.</summary>
internal static class TrackingNames
{
    public const string Description = nameof(Description);

    public const string TorchSharp = nameof(TorchSharp);

    public const string Files = nameof(Files);
}
