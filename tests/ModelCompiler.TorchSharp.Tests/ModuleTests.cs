using ModelCompiler.Models;
using ModelCompiler.Planning;
using ModelCompiler.Tests.Models;
using ModelCompiler.Torch.Peers;
using TorchSharp;
using static TorchSharp.torch;

namespace ModelCompiler.Torch.Tests;

/// <summary>Generated modules inside torch's autograd, against the same model written plainly and against the compiled loss.</summary>
public class ModuleTests
{
    private const int Batch = 2;
    private const int Sequence = 9;

    public static TheoryData<Checkpointing> Policies => [Checkpointing.None, Checkpointing.Selective, Checkpointing.Block];

    private static TrainingPlan Plan => new() { Batch = Batch, Sequence = Sequence, ChunkRows = 7 };

    [Theory]
    [MemberData(nameof(Policies))]
    public void Logits_and_gradients_are_the_plain_models(Checkpointing checkpointing)
    {
        using SmallLlama.Module module = Compiled(checkpointing);
        using PlainLlama plain = Twin(module);
        using Tensor ids = Ids(1), targets = Ids(2);

        using Tensor expected = plain.forward(ids), logits = module.forward(ids);
        Close(expected, logits);
        Loss(expected, targets).backward();
        Loss(logits, targets).backward();

        Dictionary<string, Tensor> parameters = module.named_parameters().ToDictionary(p => p.name, p => (Tensor)p.parameter);
        Assert.Equal(plain.Named().Select(p => p.Name).Order(), parameters.Keys.Order());
        Assert.All(plain.Named(), p => Close(p.Value.grad!, parameters[p.Name].grad!));
    }

    /// <summary>Gradients add up over backwards, as torch's do, also that of a forward that is not the last.</summary>
    [Fact]
    public void Backwards_of_several_forwards_add_up()
    {
        using SmallLlama.Module module = Compiled(Checkpointing.Selective);
        using PlainLlama plain = Twin(module);
        using Tensor first = Ids(1), second = Ids(2), targets = Ids(3);

        (Loss(plain.forward(first), targets) + 2 * Loss(plain.forward(second), targets)).backward();
        (Loss(module.forward(first), targets) + 2 * Loss(module.forward(second), targets)).backward();

        Dictionary<string, Tensor> parameters = module.named_parameters().ToDictionary(p => p.name, p => (Tensor)p.parameter);
        Assert.All(plain.Named(), p => Close(p.Value.grad!, parameters[p.Name].grad!));
    }

    [Fact]
    public void An_optimizer_of_torch_trains_the_compiled_model()
    {
        using SmallLlama.Module module = Compiled(Checkpointing.Selective);
        using PlainLlama plain = Twin(module);
        using Tensor ids = Ids(1), targets = Ids(2);
        double[] expected = Train(plain, plain.parameters(), ids, targets), losses = Train(module, module.parameters(), ids, targets);

        Assert.All(expected.Zip(losses), pair => Assert.Equal(pair.First, pair.Second, 1e-4));
        Assert.True(losses[^1] < losses[0] - 0.5);
        Models.Parameter embedding = module.Model.Named("model.embed_tokens.weight");
        Assert.Equal(module.Model.Read(embedding), module.get_parameter("model.embed_tokens.weight")!.data<float>().ToArray());
    }

    /// <summary>Dropout and NF4 weights have no plain twin; the compiled loss has: its gradients are those of torch's cross-entropy over the module.</summary>
    [Fact]
    public void Recipes_have_the_gradients_of_the_compiled_loss()
    {
        Compare(new SmallLlamaLora.Module(Plan), trainable: 2 * 2 * 7);
        Compare(new SmallLlamaNf4.Module(Plan), trainable: 3 * 2 * 7);
    }

    [Fact]
    public void Evaluation_leaves_no_graph_and_no_dropout()
    {
        using var module = new SmallLlamaLora.Module(Plan);
        Initialization.All(module.Model, seed: 5);
        using Tensor ids = Ids(1);
        module.eval();
        using (torch.no_grad())
        {
            using Tensor first = module.forward(ids), second = module.forward(ids);
            Assert.False(first.requires_grad);
            Assert.Equal(first.data<float>().ToArray(), second.data<float>().ToArray());
        }

        Assert.Throws<ArgumentException>(() => module.forward(ids.view(-1)));
        Assert.Throws<ArgumentException>(() => module.forward(torch.zeros(Batch + 1, Sequence, dtype: ScalarType.Int64)));
    }

    [Fact]
    public void Steps_leave_no_tensor_behind()
    {
        using var module = new SmallLlamaLora.Module(Plan);
        Initialization.All(module.Model, seed: 5);
        using Tensor ids = Ids(1), targets = Ids(2);
        using var optimizer = torch.optim.AdamW(module.parameters().Where(p => p.requires_grad));
        long before = 0;
        for (int step = 0; step < 1004; step++)
        {
            using (torch.NewDisposeScope())
            {
                optimizer.zero_grad();
                Loss(module.forward(ids), targets).backward();
                optimizer.step();
            }

            before = step == 3 ? DisposeScopeManager.Statistics.ThreadTotalLiveCount : before;
        }

        Assert.Equal(before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
    }

    private static void Compare<T>(CompiledModule<T> module, int trainable)
        where T : TransformerModel
    {
        using (module)
        {
            Initialization.All(module.Model, seed: 5);
            var random = new Random(4);
            foreach (Models.Parameter parameter in module.Model.Trainable)
            {
                module.Model.Backend.Write(parameter.Value, (ReadOnlySpan<float>)Enumerable.Range(0, (int)parameter.Value.Count).Select(_ => (float)(0.2 * random.NextDouble() - 0.1)).ToArray());
            }

            module.Seed = 1;
            using Tensor ids = Ids(1), targets = Ids(2);
            using Tensor loss = Loss(module.forward(ids), targets);
            loss.backward();
            (string Name, Tensor Gradient)[] gradients = [.. module.named_parameters().Where(p => p.parameter.requires_grad).Select(p => (p.name, p.parameter.grad!))];
            Assert.Equal(trainable, gradients.Length);

            module.Model.ZeroGradients();
            double compiled = module.Model.Differentiate(Rows(ids), Rows(targets));

            Assert.Equal(compiled, loss.item<float>(), 1e-5);
            foreach ((string name, Tensor gradient) in gradients)
            {
                double[] expected = module.Model.Values(module.Model.Named(name).Gradient);
                double largest = expected.Max(Math.Abs);
                Assert.True(largest > 0, name);
                Assert.All(expected.Zip(gradient.data<float>().ToArray()), pair => Assert.Equal(pair.First, pair.Second, 1e-5 * largest));
            }
        }
    }

    private static SmallLlama.Module Compiled(Checkpointing checkpointing)
    {
        var module = new SmallLlama.Module(Plan with { Checkpointing = checkpointing });
        Initialization.All(module.Model, seed: 5);
        return module;
    }

    /// <summary>The plain model with the same weights.</summary>
    private static PlainLlama Twin(SmallLlama.Module module)
    {
        var plain = new PlainLlama(SmallLlama.Size);
        using var off = torch.no_grad();
        foreach ((string name, Tensor value) in plain.Named())
        {
            value.copy_(module.get_parameter(name)!);
        }

        return plain;
    }

    private static double[] Train(nn.Module<Tensor, Tensor> model, IEnumerable<global::TorchSharp.Modules.Parameter> parameters, Tensor ids, Tensor targets)
    {
        using var optimizer = torch.optim.AdamW(parameters, lr: 1e-2);
        return [.. Enumerable.Range(0, 20).Select(_ =>
        {
            using DisposeScope scope = torch.NewDisposeScope();
            optimizer.zero_grad();
            Tensor loss = Loss(model.forward(ids), targets);
            loss.backward();
            optimizer.step();
            return (double)loss.item<float>();
        })];
    }

    private static Tensor Loss(Tensor logits, Tensor targets) => nn.functional.cross_entropy(logits.view(-1, logits.shape[2]), targets.view(-1));

    private static Tensor Ids(int seed)
    {
        var random = new Random(seed);
        return torch.tensor([.. Enumerable.Range(0, Batch * Sequence).Select(_ => random.NextInt64(SmallLlama.Size.Vocabulary))], [Batch, Sequence]);
    }

    private static int[][] Rows(Tensor ids) => [.. ids.data<long>().ToArray().Select(id => (int)id).Chunk(Sequence)];

    /// <summary>Equal to 1e-5 of the largest.</summary>
    private static void Close(Tensor expected, Tensor actual)
    {
        Assert.Equal(expected.shape, actual.shape);
        double largest = expected.abs().max().item<float>();
        Assert.InRange((expected - actual).abs().max().item<float>(), 0, 1e-5 * largest);
    }
}
