using ModelCompiler.Planning;
using ModelCompiler.Testing.Conformance;
using ModelCompiler.Tests.Conformance;
using ModelCompiler.Tests.Cpu;
using ModelCompiler.Tests.Training;
using Xunit.Runner.InProc.SystemConsole;

namespace ModelCompiler.Tests;

/// <summary>
/// The assembly as a process of its own: <c>conformance BITS</c> runs the suite where vectors have at most that many bits,
/// <c>train FOLDER</c> is a run that a test kills. Anything else goes to xunit, which runs the tests.
/// </summary>
internal static class Program
{
    private static int Main(string[] arguments)
    {
        if (arguments is [KilledRun.Verb, string folder])
        {
            return KilledRun.Run(folder);
        }

        return arguments is ["conformance", string text] && int.TryParse(text, out int bits)
            ? Conformance(bits)
            : ConsoleRunner.Run(arguments).GetAwaiter().GetResult();
    }

    private static int Conformance(int bits)
    {
        if (VectorWidthTests.Bits() > bits)
        {
            Console.Error.WriteLine($"Vectors have {VectorWidthTests.Bits()} bits here; the switch that limits them to {bits} did nothing.");
            return 3;
        }

        using var check = new ConformanceCheck();
        int failures = 0;
        foreach ((string name, Func<Backends.IBackend> create) in TestedBackends.All.Where(pair => pair.Key.StartsWith("cpu")))
        {
            using var bench = new Bench(create());
            foreach (string failure in OperationCases.All.SelectMany(group => group).SelectMany(c => check.Compare(bench, c)))
            {
                Console.WriteLine($"{name}: {failure}");
                failures++;
            }
        }

        using var quantized = new QuantizedLinearTests();
        foreach ((DType kind, int block, bool nested) in QuantizedLinearTests.Types.Select(row => row.Data))
        {
            quantized.ProductsAreThoseOfTheDecodedWeights(kind, block, nested);
        }

        return failures == 0 ? 0 : 1;
    }
}
