namespace ModelCompiler.Cuda.Driver;

/// <summary>Work of a stream that was recorded once and starts as a whole, with one call.</summary>
internal sealed class CudaGraph : CudaResource
{
    private CudaGraph(CudaContext context, nint executable)
        : base(context, executable)
    {
    }

    /// <summary>Records what is put into a stream instead of running it.</summary>
    /// <param name="context">The stream's context.</param>
    /// <param name="stream">The stream.</param>
    /// <param name="work">Puts the work in; it may not wait for the device.</param>
    /// <exception cref="CudaException">The driver failed, or something of the work cannot be recorded.</exception>
    public static CudaGraph Record(CudaContext context, CudaStream stream, Action work)
    {
        stream.BeginCapture();
        nint graph = 0;
        try
        {
            try
            {
                work();
            }
            finally
            {
                // Also after a failure: a stream that still records could not be used again.
                graph = stream.EndCapture();
            }

            context.Driver.Check(context.Driver.GraphInstantiate(out nint executable, graph), "cuGraphInstantiateWithFlags");
            return new CudaGraph(context, executable);
        }
        finally
        {
            if (graph != 0)
            {
                context.Driver.GraphDestroy(graph);
            }
        }
    }

    /// <summary>The CUgraphExec, for a call that follows on this thread.</summary>
    internal nint Handle() => Use();

    private protected override int Free() => Driver.GraphExecutableDestroy(handle);
}
