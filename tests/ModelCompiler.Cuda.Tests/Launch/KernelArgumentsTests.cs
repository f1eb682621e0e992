using System.Runtime.InteropServices;
using FsCheck;
using FsCheck.Fluent;
using ModelCompiler.Cuda.Driver;
using ModelCompiler.Cuda.Launch;
using ModelCompiler.Cuda.Native;
using ModelCompiler.Cuda.Tests.Mocks;

namespace ModelCompiler.Cuda.Tests.Launch;

/// <summary>Arguments byte for byte, and the geometry with which they are launched.</summary>
public class KernelArgumentsTests
{
    [Fact]
    public void EveryArgumentIsAlignedToItself()
    {
        KernelArguments arguments = new KernelArguments().Clear()
            .Add((byte)0xA1).Add((short)-2).Add(1.0f).Add((byte)0xB2).Add(unchecked((nint)0x1122334455667788)).Add(7).Add(2.0).Add(new Pair(3, 0x0102030405060708UL));
        byte[] expected =
        [
            0xA1, 0, 0xFE, 0xFF, 0, 0, 0x80, 0x3F,
            0xB2, 0, 0, 0, 0, 0, 0, 0,
            0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11,
            7, 0, 0, 0, 0, 0, 0, 0,
            0, 0, 0, 0, 0, 0, 0, 0x40,
            3, 0, 0, 0, 0, 0, 0, 0, 8, 7, 6, 5, 4, 3, 2, 1,
        ];
        Assert.Equal(expected, arguments.Bytes.ToArray());
    }

    /// <summary>Against the rule of the ABI written out: each at the next multiple of its size, gaps zero.</summary>
    [Fact]
    public void AnyMixtureOfNumbersFollowsTheRule() => Prop.ForAll(
        Gen.Choose(0, 3).ListOf().ToArbitrary(),
        kinds =>
        {
            KernelArguments arguments = new KernelArguments().Add(ulong.MaxValue).Clear();
            var expected = new List<byte>();
            foreach (int kind in kinds)
            {
                int size = 1 << kind;
                expected.AddRange(new byte[(size - expected.Count % size) % size]);
                expected.AddRange(Enumerable.Repeat((byte)0xFF, size));
                _ = kind switch
                {
                    0 => arguments.Add(byte.MaxValue),
                    1 => arguments.Add(ushort.MaxValue),
                    2 => arguments.Add(uint.MaxValue),
                    _ => arguments.Add(ulong.MaxValue),
                };
            }

            return expected.SequenceEqual(arguments.Bytes.ToArray());
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void MoreThanAKernelTakesIsRefused()
    {
        var arguments = new KernelArguments();
        for (int i = 0; i < KernelArguments.MaximumBytes / sizeof(long); i++)
        {
            arguments.Add((long)i);
        }

        Assert.Contains("4097 bytes", Assert.Throws<InvalidOperationException>(() => arguments.Add((byte)1)).Message);
    }

    [Fact]
    public void ALaunchReachesTheDriverAsItIs()
    {
        var driver = new MockDriver();
        using CudaContext context = CudaContext.Open(driver, 0);
        using CudaModule module = CudaModule.Load(context, [1]);
        using CudaStream stream = CudaStream.Create(context);
        nint function = module.Function("add");
        var geometry = new LaunchGeometry(70_000, 2, 3, 32, 4, 2, SharedBytes: 1024);
        stream.Launch(function, geometry, new KernelArguments().Add(5).Add(6L).Bytes);
        (nint Function, LaunchGeometry Geometry, nint Stream, byte[] Arguments) launch = Assert.Single(driver.Launches);
        Assert.Equal((function, geometry), (launch.Function, launch.Geometry));
        Assert.Equal([5, 0, 0, 0, 0, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0], launch.Arguments);
    }

    [Theory]
    [InlineData(0, 1, 1, 1, 1, 1, 0)]
    [InlineData(1, 65_536, 1, 1, 1, 1, 0)]
    [InlineData(1, 1, 65_536, 1, 1, 1, 0)]
    [InlineData(1, 1, 1, 1025, 1, 1, 0)]
    [InlineData(1, 1, 1, 32, 32, 2, 0)]
    [InlineData(1, 1, 1, 65_536, 65_536, 1, 0)]
    [InlineData(1, 1, 1, 1, -1, 1, 0)]
    [InlineData(1, 1, 1, 1, 1, 1, -1)]
    public void AGeometryThatNoDeviceTakesIsRefused(int x, int y, int z, int bx, int by, int bz, int shared)
    {
        var driver = new MockDriver();
        using CudaContext context = CudaContext.Open(driver, 0);
        using CudaStream stream = CudaStream.Create(context);
        ArgumentException error = Assert.Throws<ArgumentException>(() => stream.Launch(1, new LaunchGeometry(x, y, z, bx, by, bz, shared), []));
        Assert.StartsWith($"A grid of {x} x {y} x {z} blocks of {bx} x {by} x {bz} threads cannot be launched", error.Message);
        Assert.Empty(driver.Launches);
    }

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct Pair(int First, ulong Second);
}
