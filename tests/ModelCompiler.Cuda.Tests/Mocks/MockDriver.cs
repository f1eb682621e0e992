using System.Runtime.InteropServices;
using ModelCompiler.Cuda.Launch;
using ModelCompiler.Cuda.Native;
using ModelCompiler.Testing.Conformance;

namespace ModelCompiler.Cuda.Tests.Mocks;

/// <summary>
/// A driver in this process: device memory is host memory, a launch is recorded, every handle is counted until it is freed. A call named in
/// <see cref="Failing"/> returns its code and does nothing.
/// </summary>
internal unsafe class MockDriver : IDriver
{
    public const int OutOfMemory = 2;

    private const int GuardBytes = 4096;
    private const byte GuardByte = 0xC5;

    private readonly HashSet<nint> live = [];

    /// <summary>Memory given out, and its size.</summary>
    private readonly Dictionary<nint, long> blocks = [];

    private bool broken;
    private nint nextHandle = 0x1000;
    private nint current;

    public bool IsPresent { get; init; } = true;

    public int DriverVersion { get; init; } = 12_040;

    public int Devices { get; init; } = 1;

    public (int Major, int Minor) Capability { get; init; } = (9, 0);

    /// <summary>Codes by the entry point that is to return them.</summary>
    public Dictionary<string, int> Failing { get; } = [];

    /// <summary>The calls so far, in order, with what matters of their arguments.</summary>
    public List<string> Calls { get; } = [];

    /// <summary>The launches so far.</summary>
    public List<(nint Function, LaunchGeometry Geometry, nint Stream, byte[] Arguments)> Launches { get; } = [];

    /// <summary>Handles and memory not given back.</summary>
    public int Live => live.Count;

    public byte[] LoadedImage { get; private set; } = [];

    public string ErrorName(int error) => error switch
    {
        1 => "CUDA_ERROR_INVALID_VALUE",
        OutOfMemory => "CUDA_ERROR_OUT_OF_MEMORY",
        3 => "CUDA_ERROR_NOT_INITIALIZED",
        100 => "CUDA_ERROR_NO_DEVICE",
        209 => "CUDA_ERROR_NO_BINARY_FOR_GPU",
        500 => "CUDA_ERROR_NOT_FOUND",
        700 => "CUDA_ERROR_ILLEGAL_ADDRESS",
        _ => $"CUDA error {error}",
    };

    public int Init() => Called("cuInit");

    public int DriverGetVersion(out int version)
    {
        version = DriverVersion;
        return Called("cuDriverGetVersion");
    }

    public int DeviceGetCount(out int count)
    {
        count = Devices;
        return Called("cuDeviceGetCount");
    }

    public int DeviceGet(out int device, int ordinal)
    {
        device = 40 + ordinal;
        return Called("cuDeviceGet");
    }

    public int DeviceGetName(out string name, int device)
    {
        name = "Mock GPU";
        return Called("cuDeviceGetName");
    }

    public int DeviceGetAttribute(out int value, DeviceAttribute attribute, int device)
    {
        value = attribute switch
        {
            DeviceAttribute.ComputeCapabilityMajor => Capability.Major,
            DeviceAttribute.ComputeCapabilityMinor => Capability.Minor,
            _ => 132,
        };
        return Called("cuDeviceGetAttribute");
    }

    public int DeviceTotalMemory(out long bytes, int device)
    {
        bytes = 80L << 30;
        return Called("cuDeviceTotalMem");
    }

    public int DevicePrimaryContextRetain(out nint context, int device) => Create("cuDevicePrimaryCtxRetain", out context);

    public int DevicePrimaryContextRelease(int device)
    {
        int result = Called($"cuDevicePrimaryCtxRelease({device})");
        return result != 0 ? result : live.Remove(live.Min()) ? 0 : 1;
    }

    public int ContextSetCurrent(nint context)
    {
        current = context;
        return Failing.GetValueOrDefault("cuCtxSetCurrent");
    }

    public virtual int ModuleLoadData(out nint module, ReadOnlySpan<byte> image)
    {
        LoadedImage = image.ToArray();
        return Create("cuModuleLoadData", out module);
    }

    public virtual int ModuleUnload(nint module) => Free("cuModuleUnload", module);

    public virtual int ModuleGetFunction(out nint function, nint module, string name)
    {
        function = 0x77;
        return Needs(module) ? Called("cuModuleGetFunction") : 1;
    }

    public virtual int LaunchKernel(nint function, in LaunchGeometry geometry, nint stream, ReadOnlySpan<byte> arguments)
    {
        int result = Needs(stream) ? Called("cuLaunchKernel") : 1;
        (LaunchGeometry kept, byte[] copy) = (geometry, arguments.ToArray());
        return result != 0 ? result : Do(() =>
        {
            Launches.Add((function, kept, stream, copy));
            return 0;
        });
    }

    public int StreamCreate(out nint stream) => Create("cuStreamCreate", out stream);

    public int StreamDestroy(nint stream) => Free("cuStreamDestroy", stream);

    public int StreamSynchronize(nint stream) => Needs(stream) ? Called("cuStreamSynchronize") : 1;

    public int StreamWaitEvent(nint stream, nint cudaEvent) => Needs(stream) && Needs(cudaEvent) ? Called("cuStreamWaitEvent") : 1;

    /// <summary>What the stream that records got so far; null where none does.</summary>
    private List<Func<int>>? recording;
    private readonly Dictionary<nint, List<Func<int>>> graphs = [];

    /// <summary>Runs work, or keeps it where a stream records.</summary>
    public int Do(Func<int> work)
    {
        recording?.Add(work);
        return recording is null ? work() : 0;
    }

    public int StreamBeginCapture(nint stream)
    {
        recording = [];
        return Needs(stream) ? Called("cuStreamBeginCapture") : 1;
    }

    public int StreamEndCapture(nint stream, out nint graph)
    {
        int result = Create("cuStreamEndCapture", out graph);
        graphs[graph] = recording!;
        recording = null;
        return result;
    }

    public int GraphInstantiate(out nint executable, nint graph)
    {
        int result = Needs(graph) ? Create("cuGraphInstantiateWithFlags", out executable) : Fail(out executable);
        graphs[executable] = graphs[graph];
        return result;
    }

    public int GraphLaunch(nint executable, nint stream)
    {
        int result = Needs(stream) && Needs(executable) ? Called("cuGraphLaunch") : 1;
        return result != 0 ? result : graphs[executable].Select(work => work()).FirstOrDefault(code => code != 0);
    }

    public int GraphDestroy(nint graph) => Free("cuGraphDestroy", graph);

    public int GraphExecutableDestroy(nint executable) => Free("cuGraphExecDestroy", executable);

    public int EventCreate(out nint cudaEvent, bool timing) => Create("cuEventCreate", out cudaEvent);

    public int EventDestroy(nint cudaEvent) => Free("cuEventDestroy", cudaEvent);

    public int EventRecord(nint cudaEvent, nint stream) => Needs(stream) && Needs(cudaEvent) ? Called("cuEventRecord") : 1;

    public int EventSynchronize(nint cudaEvent) => Needs(cudaEvent) ? Called("cuEventSynchronize") : 1;

    public int EventElapsedTime(out float milliseconds, nint start, nint end)
    {
        milliseconds = end - start;
        return Needs(start) && Needs(end) ? Called("cuEventElapsedTime") : 1;
    }

    public int MemoryAllocate(out nint address, long bytes) => Take("cuMemAlloc", out address, bytes);

    public int MemoryFree(nint address) => Give("cuMemFree", address);

    public int MemoryHostAllocate(out nint address, long bytes) => Take("cuMemHostAlloc", out address, bytes);

    public int MemoryFreeHost(nint address) => Give("cuMemFreeHost", address);

    public int CopyHostToDevice(nint destination, nint source, long bytes, nint stream) => Copy("cuMemcpyHtoDAsync", destination, source, bytes, stream);

    public int CopyDeviceToHost(nint destination, nint source, long bytes, nint stream) => Copy("cuMemcpyDtoHAsync", destination, source, bytes, stream);

    public int CopyDeviceToDevice(nint destination, nint source, long bytes, nint stream) => Copy("cuMemcpyDtoDAsync", destination, source, bytes, stream);

    public int SetBytes(nint destination, byte value, long bytes, nint stream)
    {
        int result = Needs(stream) ? Called("cuMemsetD8Async") : 1;
        return result != 0 ? result : Do(() =>
        {
            new Span<byte>((void*)destination, (int)bytes).Fill(value);
            return 0;
        });
    }

    public int SetRows(nint destination, long stride, byte value, long bytes, long rows, nint stream)
    {
        int result = Needs(stream) ? Called("cuMemsetD2D8Async") : 1;
        return result != 0 ? result : Do(() =>
        {
            for (long row = 0; row < rows; row++)
            {
                new Span<byte>((void*)(destination + row * stride), (int)bytes).Fill(value);
            }

            return 0;
        });
    }

    /// <summary>Demands that nothing was written right before or after any memory that was given out.</summary>
    protected void RequireGuards(string by)
    {
        // Told once: what frees the memory afterwards would otherwise hide who wrote.
        foreach ((nint address, long bytes) in broken ? [] : blocks)
        {
            broken = Before(address).ContainsAnyExcept(GuardByte) || After(address, bytes).ContainsAnyExcept(GuardByte);
            Assert.False(broken, $"{by} wrote right before or after the {bytes} bytes of a block.");
        }
    }

    /// <summary>Records a call; the code that it is to return.</summary>
    private int Called(string call)
    {
        Calls.Add(call);
        return Failing.GetValueOrDefault(call.Split('(')[0]);
    }

    /// <summary>As the driver: a handle must be alive and some context current.</summary>
    private bool Needs(nint handle) => current != 0 && live.Contains(handle);

    private static int Fail(out nint handle)
    {
        handle = 0;
        return 1;
    }

    private int Create(string call, out nint handle)
    {
        int result = Called(call);
        handle = result == 0 ? nextHandle++ : 0;
        if (result == 0)
        {
            live.Add(handle);
        }

        return result;
    }

    private int Free(string call, nint handle)
    {
        int result = Called(call);
        return result != 0 ? result : live.Remove(handle) ? 0 : 1;
    }

    private int Take(string call, out nint address, long bytes)
    {
        int result = Called($"{call}({bytes})");
        address = 0;
        if (result == 0)
        {
            var block = (nint)NativeMemory.AlignedAlloc((nuint)bytes + 2 * GuardBytes, 256);
            address = block + GuardBytes;
            blocks.Add(address, bytes);
            live.Add(address);
            Before(address).Fill(GuardByte);
            After(address, bytes).Fill(GuardByte);
        }

        return result;
    }

    private int Give(string call, nint address)
    {
        int result = Free(call, address);
        if (result == 0)
        {
            RequireGuards(call);
            blocks.Remove(address);
            NativeMemory.AlignedFree((void*)(address - GuardBytes));
        }

        return result;
    }

    private static Span<byte> Before(nint address) => new((void*)(address - GuardBytes), GuardBytes);

    private static Span<byte> After(nint address, long bytes) => new((void*)(address + (nint)bytes), GuardBytes);

    private int Copy(string call, nint destination, nint source, long bytes, nint stream)
    {
        // A recording that copied host memory would copy what is no longer there.
        int result = Needs(stream) && recording is null ? Called(call) : 1;
        if (result == 0)
        {
            NativeMemory.Copy((void*)source, (void*)destination, (nuint)bytes);
        }

        return result;
    }
}
