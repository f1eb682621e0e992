namespace ModelCompiler.CommandLine.Estimators.PyTorch;

/// <summary>Loading and two optimizer steps: the first makes the moments, the second has them.</summary>
internal sealed class TrainingTimeline
{
    private const int Steps = 2;

    private readonly PyTorchJob _job;
    private readonly DeviceMemory _device;
    private readonly Weights _weights;
    private readonly AdapterCopies _copies;
    private readonly AdapterLinear _linear;
    private readonly BlockTimeline _block;

    public TrainingTimeline(PyTorchJob job, DeviceMemory device)
    {
        _job = job;
        _device = device;
        BlockProjections projections = BlockProjections.Of(job);
        _weights = new Weights(job, projections, device);
        _copies = new AdapterCopies(device);
        _linear = new AdapterLinear(job, device, _copies);
        _block = BlockTimeline.Of(job, device, _linear, projections);
    }

    /// <summary>Bytes of moments in managed memory.</summary>
    public long Paged { get; private set; }

    private LlamaShape Shape => _job.Shape;

    private long Tokens => (long)_job.Batch * _job.Sequence;

    /// <summary>Tokens that have a next one.</summary>
    private long Targets => Tokens - _job.Batch;

    private long Hidden => 4 * Tokens * Shape.Width;

    /// <summary>Runs the job.</summary>
    public void Run()
    {
        _weights.Load();
        _weights.AddAdapters();
        for (int step = 0; step < Steps; step++)
        {
            for (int micro = 0; micro < Math.Min(_job.GradientAccumulation, Steps); micro++)
            {
                MicroBatch();
            }

            if (step == 0)
            {
                Paged = _weights.AddMoments();
            }

            _linear.DropGradients();
        }
    }

    private void MicroBatch()
    {
        Allocation[] inputs = [_device.New(Term.Inputs, 8 * Tokens), _device.New(Term.Inputs, 8 * Tokens), _device.New(Term.Inputs, 8 * Tokens)];
        Allocation? mask = _job.Block == PyTorchBlock.Phi3 ? _device.New(Term.Inputs, 4 * Tokens * _job.Sequence) : null;

        _device.Moment = "forward of the blocks";
        var blockInputs = new Stack<Allocation>();
        blockInputs.Push(_device.New(Term.BlockInputs, Hidden));
        for (int layer = 0; layer < Shape.Layers; layer++)
        {
            blockInputs.Push(_block.Forward(layer, saved: null, Term.BlockInputs));
        }

        (Allocation gradient, List<Allocation> retained) = Loss(blockInputs);
        for (int layer = Shape.Layers - 1; layer >= 0; layer--)
        {
            // The block's input is kept until its backward is done.
            _device.Moment = "forward of the recomputed block";
            var saved = new SavedBlock();
            Allocation output = _block.Forward(layer, saved, Term.Saved);
            _copies.Clear(except: layer);
            _device.Moment = "backward of the recomputed block";
            Allocation input = _block.Backward(layer, saved, gradient);
            _device.Drop(output);
            _copies.Clear();
            _device.Drop(gradient, blockInputs.Pop());
            gradient = input;
        }

        _device.Drop([gradient, .. retained, .. inputs, mask]);
    }

    /// <summary>Final norm, head and cross-entropy, forward and backward.</summary>
    /// <returns>The gradient of the last block's output, and the outputs that live on.</returns>
    private (Allocation Gradient, List<Allocation> Retained) Loss(Stack<Allocation> blockInputs)
    {
        _device.Moment = "forward of the loss";
        long logitBytes = 4 * Tokens * Shape.Vocabulary;
        long targetBytes = 4 * Targets * Shape.Vocabulary;
        long headBytes = 2L * Shape.Vocabulary * Shape.Width;
        var saved = new SavedBlock();
        Allocation normed = _block.Norm(saved);
        Allocation halfNormed = _device.New(Term.Passing, Hidden / 2);
        Allocation head = _device.New(Term.Head, headBytes);
        Allocation halfLogits = _device.Replace(Term.Logits, logitBytes / 2, halfNormed);
        Allocation logits = _device.Replace(Term.Logits, logitBytes, halfLogits);
        Allocation shifted = _device.New(Term.CrossEntropy, targetBytes);
        Allocation labels = _device.New(Term.Inputs, 8 * Targets);
        Allocation logProbabilities = _device.New(Term.CrossEntropy, targetBytes);
        Allocation loss = _device.New(Term.CrossEntropy, 4);
        if (!_job.OuterAutocast)
        {
            _copies.Clear();
        }

        _device.Drop(shifted);
        List<Allocation> retained = [loss];
        for (int set = 1; set < _job.RetainedOutputs; set++)
        {
            retained.AddRange([_device.New(Term.Outputs, logitBytes), _device.New(Term.Outputs, Hidden)]);
        }

        if (_job.RetainedOutputs > 0)
        {
            retained.AddRange([logits, normed]);
        }
        else
        {
            _device.Drop(logits, normed);
        }

        _device.Moment = "backward of the loss";
        Allocation ofLoss = _device.New(Term.CrossEntropy, targetBytes);
        Allocation gradient = _device.Replace(Term.CrossEntropy, targetBytes, ofLoss, logProbabilities, labels);

        // The shift is two slices, and backward of a slice fills a tensor of the size before it.
        gradient = _device.Replace(Term.CrossEntropy, targetBytes, gradient);
        gradient = _device.Replace(Term.Logits, logitBytes, gradient);
        gradient = _device.Replace(Term.Logits, logitBytes / 2, gradient);

        _device.Moment = "backward of the head";
        Allocation? copiedGradient = _job.OuterAutocast ? _device.New(Term.OperandCopies, logitBytes / 2) : null;
        Allocation? copiedHead = _job.OuterAutocast ? _device.New(Term.OperandCopies, headBytes) : null;
        Allocation halfGradient = _device.Replace(Term.Passing, Hidden / 2, gradient, head, copiedGradient, copiedHead);
        gradient = _block.NormBackward(_device.Replace(Term.Passing, Hidden, halfGradient), saved);
        _device.Drop(blockInputs.Pop());
        return (gradient, retained);
    }
}
