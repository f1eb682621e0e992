namespace ModelCompiler.CommandLine.Estimators.PyTorch;

/// <summary>The block of transformers' Llama and Mistral classes: seven projections, attention as one operation in bf16.</summary>
internal sealed class LlamaBlockTimeline(PyTorchJob job, DeviceMemory device, AdapterLinear linear, BlockProjections projections)
    : BlockTimeline(job, device, linear, projections)
{
    private PyTorchLinear Gated => Projections.Gated[0];

    private PyTorchLinear Up => Projections.Gated[1];

    /// <summary>Bytes of the keys, or the values, in fp32.</summary>
    private long Keys => 4 * Tokens * Shape.KeyValueWidth;

    /// <summary>Bytes of the rows' log-sums of attention.</summary>
    private long LogSums => 4 * Tokens * Shape.Heads;

    private bool Grouped => Shape.KeyValueHeads != Shape.Heads;

    protected override Allocation Attention(int layer, Allocation normed, SavedBlock? saved)
    {
        Term kept = saved is null ? Term.Passing : Term.Saved;
        Allocation[] made = [.. Projections.Attention.Select(p => Linear.Forward(layer, p, halfInput: false, saved?.Linear))];
        Allocation query = Rotate(Hidden);
        Allocation key = Rotate(Keys);
        Device.Drop(made[0], made[1]);
        Allocation value = made[2];
        if (Grouped)
        {
            // Keys and values are repeated for the heads of their group.
            key = Device.Replace(Term.Passing, Hidden, key);
            value = Device.Replace(Term.Passing, Hidden, value);
        }

        Allocation[] halves = [Device.New(kept, Hidden / 2), Device.New(kept, Hidden / 2), Device.New(kept, Hidden / 2)];
        Allocation attended = Device.New(kept, Hidden / 2);
        Allocation logSums = Device.New(kept, LogSums);
        if (saved is null)
        {
            Device.Drop([.. halves, logSums]);
        }
        else
        {
            saved.Attention = [.. halves, attended, logSums];
        }

        Allocation result = Linear.Forward(layer, Projections.Output, halfInput: true, saved?.Linear);
        if (saved is null)
        {
            Device.Drop(attended);
        }

        Device.Drop(query, key, value, normed);
        return result;
    }

    protected override Allocation AttentionBackward(int layer, SavedBlock saved, Allocation gradient)
    {
        Allocation[] halves = [Device.New(Term.Passing, Hidden / 2), Device.New(Term.Passing, Hidden / 2), Device.New(Term.Passing, Hidden / 2)];
        Allocation sums = Device.New(Term.Passing, LogSums);
        Device.Drop(Device.New(Term.Passing, Hidden), sums, gradient);
        Device.Drop(saved.Attention);
        Allocation query = Device.Replace(Term.Passing, Hidden, halves[0]);
        Allocation key = Device.Replace(Term.Passing, Hidden, halves[1]);
        Allocation value = Device.Replace(Term.Passing, Hidden, halves[2]);
        if (Grouped)
        {
            key = Device.Replace(Term.Passing, Keys, key);
            value = Device.Replace(Term.Passing, Keys, value);
        }

        key = RotateBackward(Keys, key);
        query = RotateBackward(Hidden, query);
        Allocation? input = null;
        foreach ((PyTorchLinear projection, Allocation output) in Projections.Attention.Zip([query, key, value]).Reverse())
        {
            input = Linear.Backward(layer, projection, false, saved.Linear[projection], output, input);
        }

        return input!;
    }

    protected override Allocation Gate(int layer, SavedBlock? saved)
    {
        long bytes = 4 * Tokens * Shape.Hidden;
        Allocation gate = Linear.Forward(layer, Gated, halfInput: false, saved?.Linear);
        Allocation activated = Device.New(saved is null ? Term.Passing : Term.Saved, bytes);
        if (saved is null)
        {
            Device.Drop(gate);
        }

        Allocation up = Linear.Forward(layer, Up, halfInput: false, saved?.Linear);
        Allocation product = Device.New(Term.Passing, bytes);
        if (saved is null)
        {
            Device.Drop(activated, up);
        }
        else
        {
            saved.Gate = [gate, activated, up];
        }

        return product;
    }

    protected override Allocation GateBackward(int layer, SavedBlock saved, Allocation gradient)
    {
        long bytes = 4 * Tokens * Shape.Hidden;
        Allocation up = Device.New(Term.Passing, bytes);
        Allocation activated = Device.Replace(Term.Passing, bytes, gradient, saved.Gate[1], saved.Gate[2]);
        Allocation input = Linear.Backward(layer, Up, false, saved.Linear[Up], up);
        Allocation gate = Device.Replace(Term.Passing, bytes, activated, saved.Gate[0]);
        return Linear.Backward(layer, Gated, false, saved.Linear[Gated], gate, input);
    }
}
