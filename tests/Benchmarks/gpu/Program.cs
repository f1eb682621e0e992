using System.Globalization;
using ModelCompiler.Cuda;
using ModelCompiler.Cuda.Driver;
using ModelCompiler.GpuBenchmarks;

CultureInfo.DefaultThreadCurrentCulture = CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
try
{
    switch (args)
    {
        case ["test"]:
            return TestRun.Of("");
        case ["test", string part]:
            return TestRun.Of(part);
        case ["bench", string json]:
            return Comparison.Run(json, peer: null);
        case ["bench", string json, string peer]:
            return Comparison.Run(json, peer);
        default:
            Console.Error.WriteLine("usage: gpu-bench test [PART OF A NAME] | bench RESULTS.json [PEER.py]");
            return 2;
    }
}
catch (CudaUnavailableException missing)
{
    Console.Error.WriteLine(missing.Message);
    return 1;
}
