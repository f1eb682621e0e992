namespace ModelCompiler.CommandLine.Estimators.PyTorch;

/// <summary>A projection with LoRA: PEFT's layer around that of bitsandbytes, under autocast to bf16.</summary>
internal sealed class AdapterLinear(PyTorchJob job, DeviceMemory device, AdapterCopies copies)
{
    private readonly Dictionary<(int Layer, PyTorchLinear Projection, bool Output), Allocation> _gradients = [];

    private long Tokens => (long)job.Batch * job.Sequence;

    /// <summary>y = x W + s dropout(x) A B. The caller holds x.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="projection">The projection.</param>
    /// <param name="halfInput">Whether x is in bf16, and so is y then; else both are in fp32.</param>
    /// <param name="saved">Takes what backward reads; null where there is none.</param>
    /// <returns>y.</returns>
    public Allocation Forward(int layer, PyTorchLinear projection, bool halfInput, Dictionary<PyTorchLinear, SavedLinear>? saved)
    {
        (long t, int inputs, int outputs) = (Tokens, projection.Inputs, projection.Outputs);
        int element = halfInput ? 2 : 4;
        Term term = saved is null ? Term.Passing : Term.Saved;

        Allocation? halved = halfInput ? null : device.New(term, 2 * t * inputs);
        Allocation weight = Dequantize(projection);
        Allocation result = device.Replace(Term.Passing, 2 * t * outputs, weight);
        if (!halfInput)
        {
            result = device.Replace(Term.Passing, 4 * t * outputs, result);
        }

        if (saved is null)
        {
            device.Drop(halved);
        }

        // PEFT clones the result before it adds to it.
        result = device.Replace(Term.Passing, element * t * outputs, result);
        Allocation? dropped = job.Dropout ? device.New(halfInput ? term : Term.Passing, element * t * inputs) : null;
        Allocation? mask = job.Dropout ? device.New(term, t * inputs) : null;
        Allocation? adapterInput = halfInput ? dropped : device.Replace(term, 2 * t * inputs, dropped);
        copies.Use(layer, projection, output: false, (long)job.Rank * inputs);
        Allocation reduced = device.New(term, 2 * t * job.Rank);
        if (saved is null)
        {
            device.Drop(adapterInput, mask);
        }

        copies.Use(layer, projection, output: true, (long)job.Rank * outputs);
        Allocation expanded = device.New(Term.Passing, 2 * t * outputs);
        if (saved is null)
        {
            device.Drop(reduced);
        }

        Allocation scaled = device.Replace(Term.Passing, 2 * t * outputs, expanded);
        saved?.Add(projection, new SavedLinear(halved, mask, adapterInput, reduced));
        return device.Replace(halfInput ? Term.Passing : term, element * t * outputs, result, scaled);
    }

    /// <summary>The gradient of x; what of <paramref name="saved"/> backward has read is dropped, but bitsandbytes' copy of x stays until the block's graph goes.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="projection">The projection.</param>
    /// <param name="halfInput">Whether x, y and their gradients are in bf16.</param>
    /// <param name="saved">What forward kept.</param>
    /// <param name="gradient">The gradient of y; dropped here.</param>
    /// <param name="sum">A gradient of x that this one is added to in place; null: a new one.</param>
    /// <param name="keepGradient">Whether somebody still reads the gradient of y.</param>
    public Allocation Backward(int layer, PyTorchLinear projection, bool halfInput, SavedLinear saved, Allocation gradient, Allocation? sum = null, bool keepGradient = false)
    {
        (long t, int inputs, int outputs) = (Tokens, projection.Inputs, projection.Outputs);
        int element = halfInput ? 2 : 4;

        // The adapter's branch comes first: autograd takes what was made last.
        Allocation? half = halfInput ? null : device.New(Term.Passing, 2 * t * outputs);
        Allocation scaled = device.Replace(Term.Passing, 2 * t * outputs, half);
        Allocation reduced = Product(2 * t * job.Rank, 2 * t * outputs);
        AddGradient((layer, projection, true), (long)job.Rank * outputs, scaled);
        device.Drop(saved.Reduced);
        Allocation adapterSide = Product(2 * t * inputs, 2 * t * inputs);
        AddGradient((layer, projection, false), (long)job.Rank * inputs, reduced, saved.AdapterInput);
        if (!halfInput)
        {
            adapterSide = device.Replace(Term.Passing, 4 * t * inputs, adapterSide);
        }

        if (job.Dropout)
        {
            adapterSide = device.Replace(Term.Passing, element * t * inputs, adapterSide, saved.Mask);
        }

        if (sum is not null)
        {
            device.Drop(adapterSide);
            adapterSide = sum;
        }

        Allocation baseGradient = halfInput ? gradient : device.New(Term.Passing, 2 * t * outputs);
        if (!halfInput && !keepGradient)
        {
            device.Drop(gradient);
        }

        Allocation weight = Dequantize(projection);
        Allocation baseSide = Product(2 * t * inputs, 2 * t * outputs, 2 * projection.Elements);
        device.Drop(weight, baseGradient);
        if (!halfInput)
        {
            baseSide = device.Replace(Term.Passing, 4 * t * inputs, baseSide);
        }

        device.Drop(baseSide);
        return adapterSide;
    }

    /// <summary>The optimizer's <c>zero_grad</c>.</summary>
    public void DropGradients()
    {
        foreach (Allocation gradient in _gradients.Values)
        {
            device.Drop(gradient);
        }

        _gradients.Clear();
    }

    /// <summary>transformers loads in fp16 by default, so that bitsandbytes dequantizes to fp16 and then copies to bf16.</summary>
    private Allocation Dequantize(PyTorchLinear projection)
    {
        Allocation factors = device.New(Term.Dequantized, 4 * ((projection.Elements + 63) / 64));
        Allocation half = device.Replace(Term.Dequantized, 2 * projection.Elements, factors);
        return device.Replace(Term.Dequantized, 2 * projection.Elements, half);
    }

    /// <summary>A product of backward, whose operands an outer autocast copies first.</summary>
    private Allocation Product(long bytes, params ReadOnlySpan<long> operands)
    {
        if (!job.OuterAutocast)
        {
            return device.New(Term.Passing, bytes);
        }

        var copied = new Allocation[operands.Length];
        for (int i = 0; i < operands.Length; i++)
        {
            copied[i] = device.New(Term.OperandCopies, operands[i]);
        }

        Allocation product = device.New(Term.Passing, bytes);
        device.Drop(copied);
        return product;
    }

    /// <summary>A gradient in bf16, then in fp32, added to that of earlier micro-batches in place.</summary>
    private void AddGradient((int Layer, PyTorchLinear Projection, bool Output) adapter, long elements, params ReadOnlySpan<Allocation?> read)
    {
        Allocation half = device.New(Term.Passing, 2 * elements);
        device.Drop(read);
        Allocation gradient = device.Replace(Term.Gradients, 4 * elements, half);
        if (!_gradients.TryAdd(adapter, gradient))
        {
            device.Drop(gradient);
        }
    }
}

/// <summary>What backward of a projection reads.</summary>
/// <param name="Input">bitsandbytes' bf16 copy of x; null where x is in bf16.</param>
/// <param name="Mask">The mask of dropout.</param>
/// <param name="AdapterInput">What A multiplies; null where that is x.</param>
/// <param name="Reduced">Its product with A.</param>
internal sealed record SavedLinear(Allocation? Input, Allocation? Mask, Allocation? AdapterInput, Allocation Reduced);
