using ModelCompiler.Backends.Cpu;
using ModelCompiler.HuggingFace.Weights;
using ModelCompiler.Models;
using ModelCompiler.Planning;
using ModelCompiler.Tests.Models;
using ModelCompiler.Tests.Training;
using ModelCompiler.Training;

namespace ModelCompiler.Tests.Adapters;

/// <summary>A training checkpoint has the adapters alone: the weights that a start changed are those of the same start again.</summary>
public sealed class StartResumeTests : IDisposable
{
    private readonly StartedModel _started = new();

    [Fact]
    public void Pissa_is_resumed_to_the_bits_of_an_uninterrupted_run() => Check<StoriesPissa>();

    [Fact]
    public void Pissa_over_NF4_is_resumed_to_the_bits_of_an_uninterrupted_run() => Check<StoriesPissaNf4>();

    [Fact]
    public void Loftq_is_resumed_to_the_bits_of_an_uninterrupted_run() => Check<StoriesLoftqFive>();

    [Fact]
    public void Weights_without_the_start_are_another_run()
    {
        using StoriesPissa first = Create<StoriesPissa>();
        new Trainer(first, SmallRun.Data, SmallRun.Options with { Steps = 2, OutputFolder = _started.Other }).Run();

        using StoriesPissa second = Create<StoriesPissa>();
        BaseWeights.Load(second, _started.Base);
        var error = Assert.Throws<TrainingException>(() => new Trainer(second, SmallRun.Data, SmallRun.Options with { Steps = 2, OutputFolder = _started.Other, Resume = true }));
        Assert.Contains("base weights was", error.Message);
    }

    public void Dispose() => _started.Dispose();

    private void Check<T>()
        where T : TransformerModel, IModel<T>
    {
        TrainingOptions options = SmallRun.Options with { Steps = 4, Schedule = Schedule.Constant };
        using T uninterrupted = Create<T>();
        float[] start = SmallRun.State(uninterrupted);
        new Trainer(uninterrupted, SmallRun.Data, options).Run();
        using (T first = Create<T>())
        {
            new Trainer(first, SmallRun.Data, options with { Steps = 2, OutputFolder = _started.Other }).Run();
        }

        using T second = Create<T>();
        new Trainer(second, SmallRun.Data, options with { OutputFolder = _started.Other, Resume = true }).Run();

        Assert.Equal(SmallRun.State(uninterrupted), SmallRun.State(second));
        Assert.NotEqual(start, SmallRun.State(second));
        Assert.All(uninterrupted.Parameters.Where(p => !p.Value.Type.IsQuantized()).Zip(second.Parameters.Where(p => !p.Value.Type.IsQuantized())), pair =>
            Assert.Equal(uninterrupted.Read(pair.First), second.Read(pair.Second)));
    }

    private T Create<T>()
        where T : TransformerModel, IModel<T>
    {
        T model = Model.ForTraining<T>(SmallRun.Plan(), new CpuBackend(1));
        BaseWeights.Load(model, _started.Base);
        Initialization.Adapters(model, seed: 5);
        return model;
    }
}
