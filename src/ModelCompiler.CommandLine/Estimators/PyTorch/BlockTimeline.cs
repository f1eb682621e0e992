namespace ModelCompiler.CommandLine.Estimators.PyTorch;

/// <summary>A decoder block's allocations, forward and backward. The residual stream is fp32, as norms are.</summary>
internal abstract class BlockTimeline(PyTorchJob job, DeviceMemory device, AdapterLinear linear, BlockProjections projections)
{
    /// <summary>The timeline of a job's blocks.</summary>
    public static BlockTimeline Of(PyTorchJob job, DeviceMemory device, AdapterLinear linear, BlockProjections projections) => job.Block == PyTorchBlock.Phi3
        ? new Phi3BlockTimeline(job, device, linear, projections)
        : new LlamaBlockTimeline(job, device, linear, projections);

    protected PyTorchJob Job => job;

    protected DeviceMemory Device => device;

    protected AdapterLinear Linear => linear;

    protected BlockProjections Projections => projections;

    protected LlamaShape Shape => job.Shape;

    protected long Tokens => (long)job.Batch * job.Sequence;

    /// <summary>Bytes of a hidden state in fp32.</summary>
    protected long Hidden => 4 * Tokens * Shape.Width;

    /// <summary>Runs the block on an input that the caller holds.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="saved">Takes what backward reads; null where nothing is kept.</param>
    /// <param name="output">What the output is for.</param>
    public Allocation Forward(int layer, SavedBlock? saved, Term output)
    {
        Allocation attended = Attention(layer, Norm(saved), saved);
        Allocation middle = device.Replace(saved is null ? Term.Passing : Term.Saved, Hidden, attended);
        Allocation normed = Norm(saved);
        Allocation product = Gate(layer, saved);
        Allocation down = linear.Forward(layer, projections.Down, halfInput: false, saved?.Linear);
        device.Drop(product);
        Allocation result = device.Replace(output, Hidden, down, normed);
        if (saved is null)
        {
            device.Drop(middle);
        }
        else
        {
            saved.Middle = middle;
        }

        return result;
    }

    /// <summary>The gradient of the block's input, from that of its output, which the caller holds.</summary>
    public Allocation Backward(int layer, SavedBlock saved, Allocation gradient)
    {
        Allocation product = linear.Backward(layer, projections.Down, false, saved.Linear[projections.Down], gradient, keepGradient: true);
        Allocation middle = NormBackward(GateBackward(layer, saved, product), saved);
        device.Drop(saved.Middle);
        Allocation residual = device.Replace(Term.Passing, Hidden, middle);
        Allocation attended = device.New(Term.Passing, Hidden / 2);
        attended = linear.Backward(layer, projections.Output, true, saved.Linear[projections.Output], attended);
        Allocation input = NormBackward(AttentionBackward(layer, saved, attended), saved);
        Allocation result = device.Replace(Term.Passing, Hidden, input, residual);

        // The graph goes, and with it what bitsandbytes keeps outside of autograd's hands.
        foreach (SavedLinear projection in saved.Linear.Values)
        {
            device.Drop(projection.Input);
        }

        return result;
    }

    /// <summary>An RMS norm of a hidden state that stays: square, mean, root, two products.</summary>
    public Allocation Norm(SavedBlock? saved)
    {
        Allocation mean = device.Replace(Term.Passing, 4 * Tokens, device.New(Term.Passing, Hidden));
        Allocation root = device.Replace(saved is null ? Term.Passing : Term.Saved, 4 * Tokens, device.Replace(Term.Passing, 4 * Tokens, mean));
        Allocation normed = device.New(Term.Passing, Hidden);
        Allocation result = device.Replace(Term.Passing, Hidden, normed);
        if (saved is null)
        {
            device.Drop(root);
        }
        else
        {
            saved.Roots.Push(root);
        }

        return result;
    }

    /// <summary>The gradient of a norm's input, from that of its output, which is dropped.</summary>
    public Allocation NormBackward(Allocation gradient, SavedBlock saved)
    {
        Allocation normed = device.Replace(Term.Passing, Hidden, gradient);
        Allocation ofRoot = device.New(Term.Passing, Hidden);
        Allocation input = device.Replace(Term.Passing, Hidden, normed);
        Allocation rows = device.Replace(Term.Passing, 4 * Tokens, ofRoot);
        device.Drop(saved.Roots.Pop());
        Allocation square = device.New(Term.Passing, Hidden);
        device.Drop(device.Replace(Term.Passing, Hidden, square, rows));
        return input;
    }

    /// <summary>Attention with its output projection, in bf16; the normed input is dropped.</summary>
    protected abstract Allocation Attention(int layer, Allocation normed, SavedBlock? saved);

    /// <summary>The gradient of the normed input from that of the output projection's input, which is dropped.</summary>
    protected abstract Allocation AttentionBackward(int layer, SavedBlock saved, Allocation gradient);

    /// <summary>The gated product that the last projection reads.</summary>
    protected abstract Allocation Gate(int layer, SavedBlock? saved);

    /// <summary>The gradient of the normed input from that of the gated product, which is dropped.</summary>
    protected abstract Allocation GateBackward(int layer, SavedBlock saved, Allocation gradient);

    /// <summary>x cos + rotated(x) sin of a value that stays.</summary>
    protected Allocation Rotate(long bytes)
    {
        Allocation byCosine = device.New(Term.Passing, bytes);
        Allocation turned = device.Replace(Term.Passing, bytes, device.New(Term.Passing, bytes / 2));
        Allocation bySine = device.Replace(Term.Passing, bytes, turned);
        return device.Replace(Term.Passing, bytes, byCosine, bySine);
    }

    /// <summary>The gradient of what was rotated; that of the result is dropped.</summary>
    protected Allocation RotateBackward(long bytes, Allocation gradient)
    {
        Allocation result = device.New(Term.Passing, bytes);
        Allocation turned = device.New(Term.Passing, bytes);
        device.Drop(device.New(Term.Passing, bytes), turned, gradient);
        return result;
    }
}

/// <summary>What backward of a block reads.</summary>
internal sealed class SavedBlock
{
    /// <summary>Of the projections.</summary>
    public Dictionary<PyTorchLinear, SavedLinear> Linear { get; } = [];

    /// <summary>One over the root mean squares, of the norms in their order.</summary>
    public Stack<Allocation> Roots { get; } = [];

    /// <summary>The residual stream between attention and feed-forward.</summary>
    public Allocation? Middle { get; set; }

    /// <summary>Of attention, as its class has it.</summary>
    public Allocation[] Attention { get; set; } = [];

    /// <summary>Of the gate, as its class has it.</summary>
    public Allocation[] Gate { get; set; } = [];
}
