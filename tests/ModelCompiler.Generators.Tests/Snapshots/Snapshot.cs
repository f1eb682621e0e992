using System.Runtime.CompilerServices;

namespace ModelCompiler.Generators.Tests.Snapshots;

/// <summary>Compares a text with the <c>.verified.cs</c> file beside the test; a difference is written to <c>.received.cs</c>.</summary>
internal static class Snapshot
{
    /// <summary>Set to 1 to accept what is generated now; review it with git diff.</summary>
    private const string Accept = "MODELCOMPILER_ACCEPT_SNAPSHOTS";

    public static void Verify(string name, string text, [CallerFilePath] string test = "")
    {
        string folder = Path.Combine(Testing.Repository.Root, "tests/ModelCompiler.Generators.Tests/Snapshots");
        string verified = Path.Combine(folder, name + ".verified.cs");
        string received = Path.Combine(folder, name + ".received.cs");
        if (Environment.GetEnvironmentVariable(Accept) == "1")
        {
            File.WriteAllText(verified, text);
        }

        string expected = File.Exists(verified) ? File.ReadAllText(verified) : "";
        if (expected == text)
        {
            File.Delete(received);
            return;
        }

        File.WriteAllText(received, text);
        string[] was = expected.Split('\n'), now = text.Split('\n');
        int line = Enumerable.Range(0, Math.Max(was.Length, now.Length)).First(i => was.ElementAtOrDefault(i) != now.ElementAtOrDefault(i));
        Assert.Fail($"{name} differs from line {line + 1}:\n  verified: {was.ElementAtOrDefault(line)}\n  received: {now.ElementAtOrDefault(line)}\n" +
            $"Compare {name}.received.cs with {name}.verified.cs; if it is meant, run the tests with {Accept}=1 and commit ({Path.GetFileName(test)}).");
    }
}
