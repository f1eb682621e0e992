namespace ModelCompiler.Tests.Fixtures;

/// <summary>What PyTorch computed, in double precision, for a small model whose parameters are <see cref="ClosedForm"/>.</summary>
/// <param name="Name">Name of the fixture.</param>
/// <param name="Model">What the model is.</param>
/// <param name="Inputs">Token ids, one array a sequence.</param>
/// <param name="Targets">The id each position must predict; -100: the position has no part in the loss.</param>
/// <param name="Loss">Mean cross-entropy over the targets that count.</param>
/// <param name="Logits">One array a token, sequences one after the other.</param>
/// <param name="Parameters">Every parameter in ordinal order of names, with its gradient.</param>
public sealed record ModelFixture(
    string Name,
    FixtureModel Model,
    int[][] Inputs,
    int[][] Targets,
    double Loss,
    double[][] Logits,
    FixtureParameter[] Parameters)
{
    /// <summary>Names of all fixtures of this kind.</summary>
    public static IReadOnlyList<string> Names { get; } =
    [
        "gpt2", "grouped-tied", "untied", "parallel", "post-norm", "partial-rotary", "geglu-scaled-embedding",
        "attention-bias", "soft-cap", "layer-scale", "head-width", "query-key-norm", "scaled-rotary", "combined",
    ];

    /// <summary>Reads a fixture.</summary>
    public static ModelFixture Load(string name) => FixtureFile.Read<ModelFixture>($"closed-form-{name}.json");

    /// <summary>The values of parameter <paramref name="number"/>, row-major.</summary>
    public double[] Values(int number) => ClosedForm.Parameter(Parameters[number].Name, number, Parameters[number].Shape);
}

/// <summary>A model in the words of the description's attributes.</summary>
/// <param name="Vocabulary">Number of token ids.</param>
/// <param name="Width">Width of the residual stream.</param>
/// <param name="Context">Longest sequence.</param>
/// <param name="Layers">Number of blocks.</param>
/// <param name="Heads">Query heads.</param>
/// <param name="KeyValueHeads">Key and value heads.</param>
/// <param name="HeadWidth">Width of one head.</param>
/// <param name="Hidden">Width inside the feed-forward layer.</param>
/// <param name="Norm">"rms" or "layer" (with bias).</param>
/// <param name="Epsilon">ε of every norm.</param>
/// <param name="FeedForward">"swiglu", "geglu" or "gelu" (the tanh form).</param>
/// <param name="Tied">Whether the head is the embedding table.</param>
/// <param name="Parallel">Whether both sublayers read the block's input.</param>
/// <param name="PostNorm">Whether a norm follows each residual add instead of preceding the sublayer.</param>
/// <param name="RotaryTheta">Base of the rotary wavelengths.</param>
/// <param name="RotaryWidth">Leading channels of a head that rotate; 0: no rotary embedding.</param>
/// <param name="LearnedPositions">Whether learned positions are added to the embedding.</param>
/// <param name="AttentionBias">Whether query, key and value have a bias.</param>
/// <param name="OutputBias">Whether the output projection has a bias.</param>
/// <param name="FeedForwardBias">Whether the feed-forward projections have a bias.</param>
/// <param name="HeadBias">Whether the head has a bias.</param>
/// <param name="EmbeddingScale">Factor on the token embedding, not on a tied head.</param>
/// <param name="SoftCap">Logits become cap·tanh(logits / cap); 0: no cap.</param>
/// <param name="LayerScale">Whether each sublayer's output has a learned factor per channel.</param>
/// <param name="QueryKeyNorm">Whether each head's queries and keys have a norm.</param>
/// <param name="Llama3Scaling">Factor, turns of low and of high frequencies, and original context of scaled rotary positions; null: none.</param>
public sealed record FixtureModel(
    int Vocabulary,
    int Width,
    int Context,
    int Layers,
    int Heads,
    int KeyValueHeads,
    int HeadWidth,
    int Hidden,
    string Norm,
    double Epsilon,
    string FeedForward,
    bool Tied,
    bool Parallel,
    bool PostNorm,
    double RotaryTheta,
    int RotaryWidth,
    bool LearnedPositions,
    bool AttentionBias,
    bool OutputBias,
    bool FeedForwardBias,
    bool HeadBias,
    double EmbeddingScale,
    double SoftCap,
    bool LayerScale,
    bool QueryKeyNorm,
    double[]? Llama3Scaling);

/// <summary>One parameter and its gradient.</summary>
/// <param name="Name">Hugging Face (or PEFT) name.</param>
/// <param name="Shape">[rows, columns], or [length] of a vector.</param>
/// <param name="FirstValues">Its first four values, by which a reader checks that it has the closed form right.</param>
/// <param name="Norm">Euclidean norm of the gradient.</param>
/// <param name="First">The gradient's first elements, row-major.</param>
/// <param name="Gradient">The whole gradient, row-major, where the fixture holds it.</param>
public sealed record FixtureParameter(
    string Name,
    int[] Shape,
    double[] FirstValues,
    double Norm,
    double[] First,
    double[]? Gradient = null);
