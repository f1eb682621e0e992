using ModelCompiler.Compiler.Graph;
using ModelCompiler.Compiler.Operations;
using ModelCompiler.Compiler.Passes;
using ModelCompiler.Compiler.Tests.Compiled;
using ModelCompiler.Planning;
using Targets = ModelCompiler.Projections;

namespace ModelCompiler.Compiler.Tests.Passes;

/// <summary>What the passes leave of forward and backward.</summary>
public class BackwardTests
{
    [Fact]
    public void No_frozen_weight_gets_a_gradient()
    {
        CompiledModel model = Pipeline.Run(Llama.Architecture(3, 8, 12, 2, 1).WithLora(Targets.Value | Targets.Down, 2));
        foreach (BlockVariant variant in model.Variants)
        {
            string[] targets = variant.Selective.Backward.Where(o => o.GradientOf is not null).Select(o => o.GradientOf!.Name).Order(StringComparer.Ordinal).ToArray();
            Assert.Equal(["Attention.Value.Adapter.A", "Attention.Value.Adapter.B", "FeedForward.Down.Adapter.A", "FeedForward.Down.Adapter.B"], targets);
        }
    }

    [Fact]
    public void The_lowest_adapted_layer_stops_at_its_lowest_adapter()
    {
        CompiledModel model = Pipeline.Run(Llama.Architecture(3, 8, 12, 2, 1).WithLora(Targets.Value, 2));
        string[] lowest = Methods(model.Variants[0].Selective.Backward);
        string[] above = Methods(model.Variants[1].Selective.Backward);
        Assert.Single(lowest, m => m == "RmsNormGradient");
        Assert.Equal(2, above.Count(m => m == "RmsNormGradient"));
        Assert.DoesNotContain("RotaryGradient", lowest);
        Op attention = model.Variants[0].Selective.Backward.Single(o => o.Operation is AttentionGradient);
        Assert.Equal([true, true, false], attention.Outputs.Select(o => o is null));
    }

    [Fact]
    public void The_residual_add_and_the_adapter_are_one_kernel()
    {
        CompiledModel model = Pipeline.Run(Llama.Architecture(2, 8, 12, 2, 1).WithLora(Targets.Output, 2));
        Op[] forward = model.Variants[^1].Selective.Forward;
        Assert.DoesNotContain(forward, o => o.Operation is Add);
        Op output = Assert.Single(forward, o => o.Operation is LowRankLinear);
        Assert.Equal("Input", output.Accumulator!.Name);
    }

    [Fact]
    public void A_gradient_that_its_kernel_cannot_accumulate_is_added()
    {
        var g = new GraphBuilder();
        var x = new Value("X", new Shape(Dim.Tokens, new Dim(4)), ValueKind.Carried);
        Value gelu = g.Add("Gelu", new Gelu(), x);
        Value both = g.Add("Both", new SwiGlu(), x, gelu);
        Region forward = g.Build(x, both);
        Region backward = Differentiate.Run(forward, new Value("Incoming", both.Shape, ValueKind.Carried));
        Assert.Equal(["SwiGluGradient", "GeluGradient", "Add"], Methods(backward.Ops));
        Assert.Same(backward.Ops[2].Output, backward.Output);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(0.25)]
    public void A_rebuilt_gated_activation_comes_out_of_its_gradient(double dropout)
    {
        CompiledModel model = Pipeline.Run(Llama.Architecture(2, 8, 12, 2, 1).WithLora(Targets.Down, 2, dropout: dropout));
        FrameDraft draft = model.Variants[^1].Selective;
        Op gradient = draft.Backward.Single(o => o.Operation is SwiGluGradient);
        Op adapter = draft.Backward.Single(o => o.GradientOf?.Name == "FeedForward.Down.Adapter.A");

        Assert.DoesNotContain(draft.Backward, o => o.Operation is SwiGlu);
        Assert.Equal("HiddenRecomputed", gradient.Outputs[2]!.Name);
        Assert.True(Array.IndexOf(draft.Backward, gradient) < Array.IndexOf(draft.Backward, adapter));
        Assert.Equal(Buffer(draft, gradient.Inputs[0]), Buffer(draft, gradient.Outputs[2]!));
        Assert.Equal(2, model.Variants[^1].None.Backward.Single(o => o.Operation is SwiGluGradient).Outputs.Length);
    }

    [Fact]
    public void An_activation_that_its_gradient_needs_is_rebuilt_before_it()
    {
        var shape = new Shape(Dim.Tokens, new Dim(4));
        Value gate = new("Gate", shape, ValueKind.Carried), up = new("Up", shape, ValueKind.Carried);
        Value hidden = new("Hidden", shape, ValueKind.Computed), incoming = new("Incoming", shape, ValueKind.Computed);
        Value gateGradient = new("GateGradient", shape, ValueKind.Computed), upGradient = new("UpGradient", shape, ValueKind.Computed);
        Op[] ops =
        [
            new Op(new SwiGlu(), [gate, up], [hidden]) { Recomputed = true },
            new Op(new Gelu(), [hidden], [incoming]),
            new Op(new SwiGluGradient(), [incoming, gate, up], [gateGradient, upGradient]),
        ];

        Assert.Equal(ops, FuseRecomputed.Run(ops));
    }

    [Fact]
    public void Every_operation_reads_what_an_earlier_one_made()
    {
        foreach (CompiledModel model in RandomDescriptions.Take(60, seed: 5).Select(s => Pipeline.Run(s)))
        {
            foreach (FrameDraft draft in model.Variants.SelectMany(v => new[] { v.None, v.Selective, v.Decode }).Concat([model.Loss, model.Head, model.Prologue]))
            {
                var made = new HashSet<Value>();
                foreach (Op op in draft.Forward.Concat(draft.Backward))
                {
                    Assert.All(op.Reads, v => Assert.True(v.Kind != ValueKind.Computed || made.Contains(v), $"{op.Operation.Method} reads {v} before it is made"));
                    Assert.All(op.Outputs.OfType<Value>(), v => Assert.True(made.Add(v), $"{v} is made twice"));
                }
            }
        }
    }

    private static int Buffer(FrameDraft draft, Value value)
    {
        int row = Array.FindIndex(draft.Table.Buffers, r => r.Name == draft.Names[value]);
        return draft.Table.Buffers[row].Shares < 0 ? row : draft.Table.Buffers[row].Shares;
    }

    private static string[] Methods(IEnumerable<Op> ops) => ops.Select(o => o.Operation.Method).ToArray();
}
