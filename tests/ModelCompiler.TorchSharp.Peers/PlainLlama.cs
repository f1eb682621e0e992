using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ModelCompiler.Torch.Peers;

/// <summary>Sizes of a Llama; with a rank, LoRA beside all linears of its blocks, scaled by 2, is all that trains.</summary>
public sealed record LlamaSize(int Vocabulary, int Width, int Layers, int Heads, int KeyValueHeads, int Hidden, float Epsilon = 1e-5f, float Theta = 10_000, int Rank = 0);

/// <summary>A Llama with a tied head as one writes it with TorchSharp's modules: what a compiled model is compared with.</summary>
public sealed class PlainLlama : Module<Tensor, Tensor>
{
    private readonly LlamaSize _size;
    private readonly global::TorchSharp.Modules.Embedding _embedding;
    private readonly global::TorchSharp.Modules.ModuleList<Block> _blocks = [];
    private readonly Norm _norm;

    public PlainLlama(LlamaSize size)
        : base(nameof(PlainLlama))
    {
        _size = size;
        _embedding = Embedding(size.Vocabulary, size.Width);
        for (int i = 0; i < size.Layers; i++)
        {
            _blocks.Add(new Block(size));
        }

        _norm = new Norm(size.Width, size.Epsilon);
        RegisterComponents();
        if (size.Rank > 0)
        {
            foreach ((_, Tensor value) in Named())
            {
                value.requires_grad_(false);
            }
        }
    }

    /// <summary>The parameters by the paths of a compiled model.</summary>
    public IEnumerable<(string Name, Tensor Value)> Named()
    {
        yield return ("TokenEmbedding", _embedding.weight!);
        yield return ("FinalNorm.Weight", _norm.Weight);
        for (int i = 0; i < _size.Layers; i++)
        {
            foreach ((string name, Tensor value) in _blocks[i].Named())
            {
                yield return ($"Layers[{i}].{name}", value);
            }
        }
    }

    public override Tensor forward(Tensor ids)
    {
        using DisposeScope scope = NewDisposeScope();
        long sequence = ids.shape[1];
        int half = _size.Width / _size.Heads / 2;
        Tensor angles = arange(sequence, dtype: ScalarType.Float64).unsqueeze(1) * pow(_size.Theta, arange(half, dtype: ScalarType.Float64) * (-1.0 / half)).unsqueeze(0);
        (Tensor cos, Tensor sin) = (angles.cos().to_type(ScalarType.Float32), angles.sin().to_type(ScalarType.Float32));
        Tensor mask = full(sequence, sequence, float.NegativeInfinity).triu_(1);
        Tensor x = _embedding.forward(ids);
        foreach (Block block in _blocks)
        {
            x = block.Call(x, cos, sin, mask);
        }

        return functional.linear(_norm.forward(x), _embedding.weight!).MoveToOuterDisposeScope();
    }

    private sealed class Norm : Module<Tensor, Tensor>
    {
        private readonly float _epsilon;

        public Norm(int width, float epsilon)
            : base(nameof(Norm))
        {
            _epsilon = epsilon;
            Weight = Parameter(ones(width));
            RegisterComponents();
            register_parameter("weight", Weight);
        }

        public global::TorchSharp.Modules.Parameter Weight { get; }

        public override Tensor forward(Tensor x) => x * (x.pow(2).mean([-1], keepdim: true) + _epsilon).rsqrt() * Weight;
    }

    private sealed class Block : Module<Tensor, Tensor>
    {
        private readonly LlamaSize _size;
        private readonly Norm _first;
        private readonly Norm _second;
        private readonly Projection _query;
        private readonly Projection _key;
        private readonly Projection _value;
        private readonly Projection _output;
        private readonly Projection _gate;
        private readonly Projection _up;
        private readonly Projection _down;

        public Block(LlamaSize size)
            : base(nameof(Block))
        {
            _size = size;
            int shared = size.Width / size.Heads * size.KeyValueHeads;
            (_first, _second) = (new Norm(size.Width, size.Epsilon), new Norm(size.Width, size.Epsilon));
            Projection Matrix(int inputs, int outputs) => new(inputs, outputs, size.Rank);
            (_query, _key, _value, _output) = (Matrix(size.Width, size.Width), Matrix(size.Width, shared), Matrix(size.Width, shared), Matrix(size.Width, size.Width));
            (_gate, _up, _down) = (Matrix(size.Width, size.Hidden), Matrix(size.Width, size.Hidden), Matrix(size.Hidden, size.Width));
            RegisterComponents();
        }

        public IEnumerable<(string Name, Tensor Value)> Named() =>
        [
            ("Attention.Norm.Weight", _first.Weight), ("FeedForward.Norm.Weight", _second.Weight),
            ("Attention.Query.Weight", _query.Weight), ("Attention.Key.Weight", _key.Weight), ("Attention.Value.Weight", _value.Weight), ("Attention.Output.Weight", _output.Weight),
            ("FeedForward.Gate.Weight", _gate.Weight), ("FeedForward.Up.Weight", _up.Weight), ("FeedForward.Down.Weight", _down.Weight),
        ];

        public override Tensor forward(Tensor x) => throw new NotSupportedException("A block needs the rotation and the mask: call Call.");

        public Tensor Call(Tensor x, Tensor cos, Tensor sin, Tensor mask)
        {
            Tensor n = _first.forward(x);
            long width = _size.Width / _size.Heads;
            (Tensor q, Tensor k, Tensor v) = (Turn(Split(_query.forward(n)), cos, sin), Turn(Split(_key.forward(n)), cos, sin), Split(_value.forward(n)));
            int group = _size.Heads / _size.KeyValueHeads;
            Tensor scores = q.matmul(k.repeat_interleave(group, 1).transpose(-1, -2)) / Math.Sqrt(width) + mask;
            Tensor mixed = functional.softmax(scores, -1).matmul(v.repeat_interleave(group, 1)).transpose(1, 2).reshape(x.shape);
            x = x + _output.forward(mixed);
            n = _second.forward(x);
            return x + _down.forward(functional.silu(_gate.forward(n)) * _up.forward(n));

            Tensor Split(Tensor rows) => rows.view(x.shape[0], x.shape[1], -1, width).transpose(1, 2);
        }

        private static Tensor Turn(Tensor x, Tensor cos, Tensor sin)
        {
            Tensor[] halves = x.chunk(2, -1);
            return cat([halves[0] * cos - halves[1] * sin, halves[1] * cos + halves[0] * sin], -1);
        }
    }

    private sealed class Projection : Module<Tensor, Tensor>
    {
        private readonly global::TorchSharp.Modules.Linear _linear;
        private readonly global::TorchSharp.Modules.Linear? _down;
        private readonly global::TorchSharp.Modules.Linear? _up;

        public Projection(int inputs, int outputs, int rank)
            : base(nameof(Projection))
        {
            _linear = Linear(inputs, outputs, hasBias: false);
            if (rank > 0)
            {
                (_down, _up) = (Linear(inputs, rank, hasBias: false), Linear(rank, outputs, hasBias: false));
            }

            RegisterComponents();
        }

        public Tensor Weight => _linear.weight!;

        public override Tensor forward(Tensor x) => _up is null ? _linear.forward(x) : _linear.forward(x) + _up.forward(_down!.forward(x)) * 2;
    }
}
