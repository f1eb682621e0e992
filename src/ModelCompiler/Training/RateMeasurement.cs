using System.Diagnostics;
using ModelCompiler.Backends;
using ModelCompiler.Planning;
using ModelCompiler.Tensors;

namespace ModelCompiler.Training;

/// <summary>Measures a backend's rates on the machine it runs on, in about half a second.</summary>
public static class RateMeasurement
{
    private static readonly TimeSpan s_each = TimeSpan.FromMilliseconds(150);

    /// <summary>Measures a product of a step's usual size, and an addition of vectors that come from memory.</summary>
    /// <param name="backend">A backend whose arena is not allocated yet; the caller disposes it.</param>
    public static DeviceRates Run(IBackend backend)
    {
        BackendProfile profile = backend.Profile;

        // A product that keeps all cores busy, and vectors larger than caches: a GPU needs more of both.
        (int rows, int width, int added) = profile.IsHostMemory ? (512, 1024, 1 << 24) : (4096, 4096, 1 << 28);
        int size = profile.Activation.Size();
        long vector = profile.Align((long)added * size);
        backend.Allocate(3 * vector + profile.Workspace);
        backend.UseWorkspace(3 * vector, profile.Workspace);
        backend.BeginStep(new Step(1, rows));

        Tensor Matrix(int index, int matrixRows) => new(index * vector, matrixRows, width, width, profile.Activation);
        (Tensor x, Tensor w, Tensor y) = (Matrix(0, rows), Matrix(1, width), Matrix(2, rows));
        double product = Seconds(backend, y, () => backend.Linear(x, w, y));

        (Tensor a, Tensor b, Tensor sum) = (Matrix(0, added / width), Matrix(1, added / width), Matrix(2, added / width));
        double addition = Seconds(backend, sum, () => backend.Add(a, b, sum));
        double bytes = 3.0 * added * size / addition;
        return new DeviceRates(2.0 * rows * width * width / product, bytes, profile.IsHostMemory ? bytes : DeviceRates.For(profile).HostBytesPerSecond);
    }

    /// <summary>The median time of a call, after as long a warm-up; reading an element waits for its end.</summary>
    private static double Seconds(IBackend backend, Tensor output, Action call)
    {
        Repeat(s_each);
        List<double> times = Repeat(s_each);
        times.Sort();
        return times[times.Count / 2];

        List<double> Repeat(TimeSpan time)
        {
            var measured = new List<double>();
            long start = Stopwatch.GetTimestamp();
            while (measured.Count < 3 || Stopwatch.GetElapsedTime(start) < time)
            {
                long before = Stopwatch.GetTimestamp();
                call();
                backend.Read(output);
                measured.Add(Stopwatch.GetElapsedTime(before).TotalSeconds);
            }

            return measured;
        }
    }
}
