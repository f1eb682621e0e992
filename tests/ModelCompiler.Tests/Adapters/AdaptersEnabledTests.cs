using ModelCompiler.Backends;
using ModelCompiler.Backends.Cpu;
using ModelCompiler.Models;
using ModelCompiler.Planning;
using ModelCompiler.Testing.Reference;

namespace ModelCompiler.Tests.Adapters;

/// <summary>With its adapters off a model computes what its base does, bit for bit, whatever the adapters learned.</summary>
public sealed class AdaptersEnabledTests
{
    private const int Batch = 2, Sequence = 5;
    private static readonly TrainingPlan s_plan = new() { Batch = Batch, Sequence = Sequence, ChunkRows = 4 };
    private static readonly int[] s_ids = [1, 40, 300, 7, 99, 2, 3, 5, 8, 13];
    private static readonly int[] s_targets = [40, 300, 7, 99, -100, 3, 5, 8, 13, 21];

    [Theory]
    [InlineData("cpu")]
    [InlineData("reference")]
    public void A_model_without_its_adapters_is_its_base(string backend)
    {
        Check<Stories260K_Lora>(backend);
        Check<Stories260K_DyLora>(backend);
        Check<Stories260K_AdaLora>(backend);
        Check<Stories260K_L1ra>(backend);
        Check<Stories260K_Lamda>(backend);
        Check<Stories260K_LamdaPlusPlus>(backend);
    }

    /// <summary>Of quantized weights the base is what they decode to; only double precision computes with both alike.</summary>
    [Fact]
    public void A_quantized_model_without_its_adapters_is_its_decoded_base()
    {
        Check<Stories260K_QLora>("reference");
        Check<Stories260K_QaLora>("reference");
    }

    [Fact]
    public void Methods_that_change_the_base_stay_on()
    {
        Refuses<Stories260K_Dora>("the adapters of Stories260K_Dora cannot be switched off: DoRA scales the base's own output by its magnitudes");
        Refuses<Stories260K_LoftQ>("the adapters of Stories260K_LoftQ cannot be switched off: start Loftq changed the weight that the base had");
    }

    [Fact]
    public void Adapters_that_are_off_are_not_trained()
    {
        using var model = Model.ForTraining<Stories260K_Lora>(s_plan, new ReferenceBackend());
        model.AdaptersEnabled = false;
        var error = Assert.Throws<InvalidOperationException>(() => model.Step(Tokens()));
        Assert.Contains("are switched off and would not learn", error.Message);
    }

    private static void Refuses<T>(string message)
        where T : TransformerModel, IModel<T>
    {
        using T model = Model.ForTraining<T>(s_plan, new ReferenceBackend());
        Assert.Contains(message, Assert.Throws<InvalidOperationException>(() => model.AdaptersEnabled = false).Message);
        Assert.True(model.AdaptersEnabled);
    }

    private static void Check<T>(string backend)
        where T : TransformerModel, IModel<T>
    {
        IBackend New() => backend == "cpu" ? new CpuBackend(2) : new ReferenceBackend();
        using T model = Model.ForTraining<T>(s_plan, New());
        using var bare = Model.ForTraining<Stories260K>(s_plan, New());
        var random = new Random(3);
        foreach (Parameter parameter in model.Parameters)
        {
            double center = parameter.Info.Path.EndsWith("Norm.Weight", StringComparison.Ordinal) ? 1 : 0;
            model.Backend.Write(parameter.Value, Enumerable.Range(0, (int)parameter.Value.Count).Select(_ => (float)(center + 0.3 * (random.NextDouble() - 0.5))).ToArray());
        }

        foreach (Parameter parameter in bare.Parameters)
        {
            Parameter own = model.Parameters.Single(p => p.Info.Path == parameter.Info.Path && p.Layer == parameter.Layer);
            bare.Backend.Write(parameter.Value, model.Read(own));
        }

        double expected = bare.Evaluate(Tokens());
        Assert.NotEqual(expected, model.Evaluate(Tokens()));
        model.AdaptersEnabled = false;
        Assert.Equal(expected, model.Evaluate(Tokens()));
        Assert.Equal(Hidden(bare), Hidden(model));
        model.AdaptersEnabled = true;
        Assert.NotEqual(expected, model.Evaluate(Tokens()));
    }

    private static double[] Hidden(TransformerModel model)
    {
        var values = new double[model.Hidden.Count];
        model.Backend.Read(model.Hidden, values);
        return values;
    }

    private static TokenBatch Tokens() => new(new Step(Batch, Sequence), s_ids, s_targets);
}
