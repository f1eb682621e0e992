namespace ModelCompiler.CommandLine.Estimators.PyTorch;

/// <summary>The block of transformers' Phi-3 class: two fused projections, attention with its scores in memory.</summary>
internal sealed class Phi3BlockTimeline(PyTorchJob job, DeviceMemory device, AdapterLinear linear, BlockProjections projections)
    : BlockTimeline(job, device, linear, projections)
{
    private PyTorchLinear Fused => Projections.Attention[0];

    private PyTorchLinear Gated => Projections.Gated[0];

    /// <summary>Elements of attention's scores.</summary>
    private long Scores => (long)Job.Batch * Shape.Heads * Job.Sequence * Job.Sequence;

    protected override Allocation Attention(int layer, Allocation normed, SavedBlock? saved)
    {
        Term kept = saved is null ? Term.Passing : Term.Saved;
        Allocation made = Linear.Forward(layer, Fused, halfInput: false, saved?.Linear);
        Allocation query = Rotate(Hidden);
        Allocation key = Rotate(Hidden);
        Allocation halfQuery = Device.New(kept, Hidden / 2);
        Allocation halfKey = Device.New(kept, Hidden / 2);
        Allocation scaled = Device.Replace(Term.Passing, 2 * Scores, Device.New(Term.Passing, 2 * Scores));
        if (saved is null)
        {
            Device.Drop(halfQuery, halfKey);
        }

        // The mask is fp32, so that scores become it; the softmax is, and its result is copied to bf16.
        Allocation masked = Device.Replace(Term.Passing, 4 * Scores, scaled);
        Allocation probabilities = Device.Replace(kept, 4 * Scores, masked);
        Allocation halfProbabilities = Device.New(kept, 2 * Scores);
        Allocation halfValue = Device.New(kept, Hidden / 2);
        Allocation heads = Device.New(Term.Passing, Hidden / 2);
        if (saved is null)
        {
            Device.Drop(halfProbabilities, halfValue, probabilities);
        }

        Allocation attended = Device.Replace(kept, Hidden / 2, heads);
        Allocation result = Linear.Forward(layer, Projections.Output, halfInput: true, saved?.Linear);
        if (saved is null)
        {
            Device.Drop(attended);
        }
        else
        {
            saved.Attention = [halfQuery, halfKey, probabilities, halfProbabilities, halfValue, attended];
        }

        Device.Drop(made, query, key, normed);
        return result;
    }

    protected override Allocation AttentionBackward(int layer, SavedBlock saved, Allocation gradient)
    {
        if (saved.Attention is not [var halfQuery, var halfKey, var probabilities, var halfProbabilities, var halfValue, var attended])
        {
            throw new InvalidOperationException("forward kept nothing of attention");
        }

        Device.Drop(attended);
        Allocation? copiedScores = Copy(2 * Scores);
        Allocation? copied = Copy(Hidden / 2);
        Allocation scores = Device.New(Term.Passing, 2 * Scores);
        Allocation value = Device.New(Term.Passing, Hidden / 2);
        Device.Drop(copiedScores, copied, gradient, halfProbabilities, halfValue);
        value = Device.Replace(Term.Passing, Hidden, value);
        scores = Device.Replace(Term.Passing, 4 * Scores, scores);
        scores = Device.Replace(Term.Passing, 4 * Scores, scores, probabilities);
        scores = Device.Replace(Term.Passing, 2 * Scores, scores);
        scores = Device.Replace(Term.Passing, 2 * Scores, scores);
        copiedScores = Copy(2 * Scores);
        Allocation query = WithCopy(Hidden / 2);
        Allocation key = WithCopy(Hidden / 2);
        Device.Drop(copiedScores, scores, halfQuery, halfKey);
        query = Device.Replace(Term.Passing, Hidden, query);
        key = Device.Replace(Term.Passing, Hidden, key);
        key = RotateBackward(Hidden, key);
        query = RotateBackward(Hidden, query);

        // Each of the three slices has a gradient as wide as all of them; they are added in place.
        Allocation sum = Device.Replace(Term.Passing, 3 * Hidden, value);
        Device.Drop(Device.New(Term.Passing, 3 * Hidden), key);
        Device.Drop(Device.New(Term.Passing, 3 * Hidden), query);
        return Linear.Backward(layer, Fused, false, saved.Linear[Fused], sum);
    }

    protected override Allocation Gate(int layer, SavedBlock? saved)
    {
        long bytes = 4 * Tokens * Shape.Hidden;
        Allocation both = Linear.Forward(layer, Gated, halfInput: false, saved?.Linear);
        Allocation activated = Device.New(saved is null ? Term.Passing : Term.Saved, bytes);
        Allocation product = Device.New(Term.Passing, bytes);
        if (saved is null)
        {
            Device.Drop(activated, both);
        }
        else
        {
            saved.Gate = [both, activated];
        }

        return product;
    }

    protected override Allocation GateBackward(int layer, SavedBlock saved, Allocation gradient)
    {
        long bytes = 4 * Tokens * Shape.Hidden;
        Allocation up = Device.New(Term.Passing, bytes);
        Allocation activated = Device.Replace(Term.Passing, bytes, gradient, saved.Gate[1]);
        Allocation gate = Device.Replace(Term.Passing, bytes, activated, saved.Gate[0]);
        Allocation both = Device.Replace(Term.Passing, 2 * bytes, gate, up);
        return Linear.Backward(layer, Gated, false, saved.Linear[Gated], both);
    }

    private Allocation? Copy(long bytes) => Job.OuterAutocast ? Device.New(Term.OperandCopies, bytes) : null;

    private Allocation WithCopy(long bytes)
    {
        Allocation? copied = Copy(bytes);
        Allocation product = Device.New(Term.Passing, bytes);
        Device.Drop(copied);
        return product;
    }
}
