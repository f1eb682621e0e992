using System.Diagnostics;
using ModelCompiler.Backends;
using ModelCompiler.Planning;
using ModelCompiler.Tensors;

namespace ModelCompiler.Training;

/// <summary>Measures a backend's rates on the machine it runs on, in about half a second.</summary>
public static class RateMeasurement
{
    private const int Rows = 512;
    private const int Width = 1024;

    /// <summary>Elements of each of the three vectors that are added: larger than caches.</summary>
    private const int Added = 1 << 24;

    private static readonly TimeSpan s_each = TimeSpan.FromMilliseconds(150);

    /// <summary>Measures a product of a step's usual size, and an addition of vectors that come from memory.</summary>
    /// <param name="backend">A backend whose arena is not allocated yet; the caller disposes it.</param>
    public static DeviceRates Run(IBackend backend)
    {
        BackendProfile profile = backend.Profile;
        int size = profile.Compute.Size();
        long vector = profile.Align((long)Added * size);
        backend.Allocate(3 * vector + profile.Workspace);
        backend.UseWorkspace(3 * vector, profile.Workspace);
        backend.BeginStep(new Step(1, Rows));

        Tensor x = new(0, Rows, Width, Width, profile.Compute);
        Tensor w = new(vector, Width, Width, Width, profile.Compute);
        Tensor y = new(2 * vector, Rows, Width, Width, profile.Compute);
        double product = Seconds(backend, y, () => backend.Linear(x, w, y));

        Tensor Vector(int index) => new(index * vector, Added / Width, Width, Width, profile.Compute);
        (Tensor a, Tensor b, Tensor sum) = (Vector(0), Vector(1), Vector(2));
        double addition = Seconds(backend, sum, () => backend.Add(a, b, sum));
        double bytes = 3.0 * Added * size / addition;
        return new DeviceRates(2.0 * Rows * Width * Width / product, bytes, bytes);
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
