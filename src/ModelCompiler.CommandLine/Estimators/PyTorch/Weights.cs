namespace ModelCompiler.CommandLine.Estimators.PyTorch;

/// <summary>What stays on the device: weights, adapters, workspaces, moments; and how the weights come there.</summary>
internal sealed class Weights(PyTorchJob job, BlockProjections projections, DeviceMemory device)
{
    /// <summary>PyTorch's cuBLAS workspace, bytes. Each thread that calls cuBLAS has one: Python's, and that of backward.</summary>
    private const long CublasWorkspace = 8_519_680;

    private const int Threads = 2;

    /// <summary>bitsandbytes quantizes each weight in fp16 on the device, in the order of the file.</summary>
    public void Load()
    {
        device.Moment = "loading";
        LlamaShape shape = job.Shape;
        long embedding = (long)shape.Vocabulary * shape.Width;
        List<(Allocation Half, Term Term, long Elements)> others = [];
        void Keep(Term term, long elements) => others.Add((device.New(Term.Loading, 2 * elements), term, elements));
        Keep(Term.Embeddings, embedding);
        for (int layer = 0; layer < shape.Layers; layer++)
        {
            Keep(Term.Norms, shape.Width);
            Quantize(projections.FeedForwardInFileOrder);
            Keep(Term.Norms, shape.Width);
            Quantize(projections.AttentionInFileOrder);
            device.New(Term.RotaryTables, 4L * shape.HeadWidth / 2);
        }

        Keep(Term.Norms, shape.Width);
        if (!shape.Tied)
        {
            Keep(Term.Embeddings, embedding);
        }

        // prepare_model_for_kbit_training
        foreach ((Allocation half, Term term, long elements) in others)
        {
            device.Replace(term, 4 * elements, half);
        }

        if (job.Block == PyTorchBlock.Llama)
        {
            for (int table = 0; table < 2 * shape.Layers; table++)
            {
                device.New(Term.RotaryTables, 2L * shape.Context * shape.HeadWidth);
            }
        }
    }

    /// <summary>PEFT makes adapters in fp32.</summary>
    public void AddAdapters()
    {
        for (int layer = 0; layer < job.Shape.Layers; layer++)
        {
            foreach (PyTorchLinear projection in projections.All)
            {
                device.New(Term.Adapters, 4L * job.Rank * projection.Inputs);
                device.New(Term.Adapters, 4L * job.Rank * projection.Outputs);
            }
        }

        for (int thread = 0; thread < Threads; thread++)
        {
            device.New(Term.Workspaces, CublasWorkspace);
        }
    }

    /// <summary>The first optimizer step makes the moments: 8 bits, with one factor for 2,048 elements; fp32 for fewer than 4,096.</summary>
    /// <returns>Bytes of those in managed memory, of 100,000 elements and more.</returns>
    public long AddMoments()
    {
        device.Moment = "optimizer step";
        long paged = 0;
        foreach (int width in Enumerable.Range(0, job.Shape.Layers).SelectMany(_ => projections.All).SelectMany(static p => new[] { p.Inputs, p.Outputs }))
        {
            long elements = (long)job.Rank * width;
            bool quantized = elements >= 4096;
            for (int moment = 0; moment < 2; moment++)
            {
                long bytes = quantized ? elements : 4 * elements;
                if (elements >= 100_000)
                {
                    paged += bytes;
                }
                else
                {
                    device.New(Term.Moments, bytes);
                }

                if (quantized)
                {
                    device.New(Term.Moments, 4 * ((elements + 2047) / 2048));
                }
            }
        }

        return paged;
    }

    private void Quantize(IEnumerable<PyTorchLinear> weights)
    {
        foreach (PyTorchLinear weight in weights)
        {
            long blocks = (weight.Elements + 63) / 64;
            Allocation half = device.New(Term.Loading, 2 * weight.Elements);
            Allocation factors = device.New(Term.Loading, 4 * blocks);
            device.New(Term.Projections, (weight.Elements + 1) / 2);
            device.New(Term.Factors, 16 * 4);
            device.New(Term.Factors, 4);
            device.New(Term.Factors, 4 * ((blocks + 255) / 256));
            device.New(Term.Factors, blocks);
            device.Drop(factors, half);
        }
    }
}
