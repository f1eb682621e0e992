namespace ModelCompiler.Benchmarks.Models;

/// <summary>The model of the training-step benchmark: 27,795,968 parameters.</summary>
[Transformer(Vocabulary = 4096, Width = 512, Context = 256)]
[TokenEmbedding(Tied = true)]
public partial class Llama28M
{
    /// <summary>One layer.</summary>
    [Block(Repeat = 8)]
    public partial class Layer
    {
        /// <summary>Attention.</summary>
        [RmsNorm(Epsilon = 1e-5f)]
        [Attention(Heads = 8), Rotary(Theta = 10_000)]
        public partial Attention Attention { get; }

        /// <summary>Feed-forward.</summary>
        [RmsNorm(Epsilon = 1e-5f)]
        [SwiGlu(Hidden = 1408)]
        public partial FeedForward FeedForward { get; }
    }
}

/// <summary>LoRA of rank 8 on all linears of every block.</summary>
[FineTune<Llama28M>]
[Lora(Rank = 8, Alpha = 16, Targets = Projections.All)]
public partial class Llama28M_Lora;
