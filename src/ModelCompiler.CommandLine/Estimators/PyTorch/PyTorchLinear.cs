namespace ModelCompiler.CommandLine.Estimators.PyTorch;

/// <summary>A projection as transformers has it.</summary>
internal sealed record PyTorchLinear(string Name, int Inputs, int Outputs)
{
    /// <summary>Elements of the weight.</summary>
    public long Elements => (long)Inputs * Outputs;
}

/// <summary>The projections of a block.</summary>
internal sealed record BlockProjections(
    PyTorchLinear[] Attention, PyTorchLinear Output, PyTorchLinear[] Gated, PyTorchLinear Down, PyTorchLinear[] FeedForwardInFileOrder, PyTorchLinear[] AttentionInFileOrder)
{
    /// <summary>All of them, in the order of the network.</summary>
    public IEnumerable<PyTorchLinear> All => [.. Attention, Output, .. Gated, Down];

    /// <summary>The projections of a job's blocks.</summary>
    public static BlockProjections Of(PyTorchJob job)
    {
        LlamaShape shape = job.Shape;
        (int h, int f, int k) = (shape.Width, shape.Hidden, shape.KeyValueWidth);
        var output = new PyTorchLinear("o_proj", h, h);
        var down = new PyTorchLinear("down_proj", f, h);
        if (job.Block == PyTorchBlock.Phi3)
        {
            var attention = new PyTorchLinear("qkv_proj", h, h + 2 * k);
            var gated = new PyTorchLinear("gate_up_proj", h, 2 * f);
            return new([attention], output, [gated], down, [down, gated], [output, attention]);
        }

        var (query, key, value) = (new PyTorchLinear("q_proj", h, h), new PyTorchLinear("k_proj", h, k), new PyTorchLinear("v_proj", h, k));
        var (gate, up) = (new PyTorchLinear("gate_proj", h, f), new PyTorchLinear("up_proj", h, f));
        return new([query, key, value], output, [gate, up], down, [down, gate, up], [key, output, query, value]);
    }
}
