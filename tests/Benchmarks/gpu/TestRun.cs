using System.Reflection;
using ModelCompiler.Cuda.Tests;
using Xunit;
using Xunit.Abstractions;
using Xunit.Sdk;

namespace ModelCompiler.GpuBenchmarks;

/// <summary>Runs the CUDA tests in this process, where there is no SDK to run them; prints failures, then one line as .ci/run does.</summary>
internal static class TestRun
{
    /// <param name="part">What the names of the tests that run have in them; empty: all.</param>
    public static int Of(string part)
    {
        Assembly tests = typeof(CudaDeviceTests).Assembly;
        using var framework = new XunitTestFramework(new Silence());
        using ITestFrameworkExecutor executor = framework.GetExecutor(tests.GetName());
        using ITestFrameworkDiscoverer discoverer = framework.GetDiscoverer(Reflector.Wrap(tests));
        var options = new Options();
        using var found = new Found();
        discoverer.Find(includeSourceInformation: false, found, options);
        found.Finished.Wait();
        using var results = new Results();
        executor.RunTests(found.Cases.Where(test => test.DisplayName.Contains(part, StringComparison.Ordinal)), results, options);
        results.Finished.Wait();
        Console.WriteLine($"{results.Passed} passed, {results.Failed} failed, {results.Skipped} skipped");
        return results.Failed == 0 ? 0 : 1;
    }

    /// <summary>Every option has its default.</summary>
    private sealed class Options : LongLivedMarshalByRefObject, ITestFrameworkDiscoveryOptions, ITestFrameworkExecutionOptions
    {
        private readonly Dictionary<string, object?> values = [];

        public TValue GetValue<TValue>(string name) => values.TryGetValue(name, out object? value) ? (TValue)value! : default!;

        public void SetValue<TValue>(string name, TValue value) => values[name] = value;
    }

    private sealed class Silence : LongLivedMarshalByRefObject, IMessageSink
    {
        public bool OnMessage(IMessageSinkMessage message) => true;
    }

    private sealed class Found : LongLivedMarshalByRefObject, IMessageSink, IDisposable
    {
        public ManualResetEventSlim Finished { get; } = new();

        public List<ITestCase> Cases { get; } = [];

        public bool OnMessage(IMessageSinkMessage message)
        {
            if (message is ITestCaseDiscoveryMessage one)
            {
                Cases.Add(one.TestCase);
            }
            else if (message is IDiscoveryCompleteMessage)
            {
                Finished.Set();
            }

            return true;
        }

        public void Dispose() => Finished.Dispose();
    }

    private sealed class Results : LongLivedMarshalByRefObject, IMessageSink, IDisposable
    {
        private readonly Lock gate = new();

        public ManualResetEventSlim Finished { get; } = new();

        public int Passed { get; private set; }

        public int Failed { get; private set; }

        public int Skipped { get; private set; }

        public bool OnMessage(IMessageSinkMessage message)
        {
            lock (gate)
            {
                switch (message)
                {
                    case ITestPassed:
                        Passed++;
                        break;
                    case ITestSkipped skipped:
                        Skipped++;
                        Console.WriteLine($"skipped {skipped.Test.DisplayName}: {skipped.Reason}");
                        break;
                    case ITestFailed failed:
                        Failed++;
                        Console.WriteLine($"FAILED {failed.Test.DisplayName}: {string.Join('\n', failed.Messages)}");
                        break;
                    case ITestAssemblyFinished:
                        Finished.Set();
                        break;
                }
            }

            return true;
        }

        public void Dispose() => Finished.Dispose();
    }
}
