using ModelCompiler.CommandLine.Estimators.PyTorch;

namespace ModelCompiler.CommandLine.Estimators;

/// <summary>
/// The memory of a QLoRA job under PyTorch: its allocations in the order in which the frameworks make and drop them, over two optimizer steps, run
/// through a <see cref="CachingAllocator"/>. Nothing is fitted to a model.
/// </summary>
public sealed class PyTorchEstimate
{
    private PyTorchEstimate(DeviceMemory device, long paged)
    {
        Peak = device.Peak;
        Moment = device.PeakMoment;
        Terms = device.TermsAtPeak();
        Reserved = device.Reserved;
        Paged = paged;
    }

    /// <summary>The peak of allocated bytes, <c>torch.cuda.max_memory_allocated</c>. The CUDA context and the kernels' code are not in it.</summary>
    public long Peak { get; }

    /// <summary>The bytes that the allocator took of the device, <c>torch.cuda.max_memory_reserved</c>.</summary>
    public long Reserved { get; }

    /// <summary>Bytes of optimizer state in managed memory, which the allocator does not count.</summary>
    public long Paged { get; }

    /// <summary>When the peak is reached.</summary>
    public string Moment { get; }

    /// <summary>What is allocated then; the sum is the peak.</summary>
    public IReadOnlyList<EstimateTerm> Terms { get; }

    /// <summary>Runs the job through the allocator.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A number of the job is not positive.</exception>
    public static PyTorchEstimate Of(PyTorchJob job)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(job.Batch, nameof(job.Batch));
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(job.Sequence, nameof(job.Sequence));
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(job.Rank, nameof(job.Rank));
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(job.GradientAccumulation, nameof(job.GradientAccumulation));
        ArgumentOutOfRangeException.ThrowIfNegative(job.RetainedOutputs, nameof(job.RetainedOutputs));
        var device = new DeviceMemory();
        var training = new TrainingTimeline(job, device);
        training.Run();
        return new PyTorchEstimate(device, training.Paged);
    }
}
