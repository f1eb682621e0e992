using System.Text.Json.Nodes;
using ModelCompiler.Adapters;
using ModelCompiler.HuggingFace.Peft;
using ModelCompiler.Models;
using ModelCompiler.Safetensors;
using ModelCompiler.Tests.Files;
using ModelCompiler.Tests.Fixtures;

namespace ModelCompiler.Tests.Families;

/// <summary>What PyTorch computed of a family's model over weights in its checkpoint's layout.</summary>
/// <param name="Config">config.json.</param>
/// <param name="Inputs">Token ids, one array a sequence.</param>
/// <param name="Targets">The id each position must predict.</param>
/// <param name="Loss">Mean cross-entropy.</param>
/// <param name="Logits">One array a token.</param>
/// <param name="Parameters">Every tensor in ordinal order of names, with its gradient.</param>
/// <param name="Adapter">The same with an adapter on the fused projection.</param>
internal sealed record FamilyFixture(JsonObject Config, int[][] Inputs, int[][] Targets, double Loss, double[][] Logits, StoredGradient[] Parameters, FusedAdapter Adapter)
{
    public static FamilyFixture Load(string family) => FixtureFile.Read<FamilyFixture>($"family-{family}.json");

    /// <summary>Writes the folder that Transformers would.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="rename">Another name for a tensor; null: none.</param>
    /// <param name="others">Further tensors.</param>
    public void WriteBase(TemporaryFolder folder, Func<string, string>? rename = null, params TensorSource[] others)
    {
        File.WriteAllText(folder.File("config.json"), Config.ToJsonString());
        SafetensorsWriter.Write(folder.File("model.safetensors"), [.. Parameters.Select((p, number) =>
        {
            float[] values = [.. Values(number).Select(v => (float)v)];
            return TensorSource.FromArray(rename?.Invoke(p.Name) ?? p.Name, values, SafetensorsType.F32, [.. p.Shape.Select(d => (long)d)]);
        }), .. others]);
    }

    /// <summary>Writes the adapter as PEFT would.</summary>
    public void WriteAdapter(string folder)
    {
        var config = new PeftConfig { R = Adapter.Rank, Alpha = Adapter.Alpha, TargetModules = [Adapter.Modules[0][(Adapter.Modules[0].LastIndexOf('.') + 1)..]], FanInFanOut = (string)Config["model_type"]! == "gpt2" };
        new PeftAdapter(config, Adapter.Modules.Index().ToDictionary(m => m.Item, m => new LowRankFactors(
            Adapter.Rank, Adapter.Inputs, Adapter.Outputs,
            [.. ClosedForm.LoraA(Adapter.Rank, Adapter.Inputs, m.Index, 0).Select(v => (float)v)],
            [.. ClosedForm.LoraB(Adapter.Outputs, Adapter.Rank, m.Index, 0).Select(v => (float)v)]))).Save(folder);
    }

    private double[] Values(int number)
    {
        StoredGradient parameter = Parameters[number];
        bool norm = parameter.Name.EndsWith("norm.weight", StringComparison.Ordinal) || (parameter.Name.Contains("ln_", StringComparison.Ordinal) && parameter.Name.EndsWith(".weight", StringComparison.Ordinal));
        return ClosedForm.Parameter(norm ? "norm.weight" : "weight", number, parameter.Shape);
    }
}

/// <summary>A tensor of the checkpoint.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Shape">Its shape as stored.</param>
/// <param name="Norm">Norm of its gradient.</param>
/// <param name="Gradient">The first elements of its gradient, as stored.</param>
internal sealed record StoredGradient(string Name, int[] Shape, double Norm, double[] Gradient);

/// <summary>An adapter on a fused projection: A and B by <see cref="ClosedForm"/>.</summary>
internal sealed record FusedAdapter(int Rank, int Alpha, string[] Modules, int Inputs, int Outputs, double Loss, double[] LastLogits, FusedGradient[] Gradients);

/// <summary>Gradients of an adapter.</summary>
/// <param name="Module">Its module.</param>
/// <param name="ANorm">Norm of A's.</param>
/// <param name="B">B's, row-major.</param>
internal sealed record FusedGradient(string Module, double ANorm, double[] B);
