using ModelCompiler.Compiler.Description;
using ModelCompiler.Compiler.Graph;
using ModelCompiler.Compiler.Operations;
using ModelCompiler.Compiler.Passes;

namespace ModelCompiler.Compiler.Writing;

/// <summary>X.TorchSharp.g.cs: the model as a module of TorchSharp. What the loss does in training, without the loss itself: that is the user's.</summary>
internal static class TorchModuleFile
{
    private const string Runtime = "global::ModelCompiler.Torch.";
    private const string Device = "global::TorchSharp.torch.Device";

    public static SourceFile Write(ModelTypes types)
    {
        ModelSpec spec = types.Spec;
        string name = Identifier.Escape(spec.Type.Name);
        FrameDraft loss = types.Model.Loss;
        Op criterion = loss.Forward.Single(static op => op.Operation is CrossEntropy);
        Op? slope = loss.Backward.SingleOrDefault(static op => op.Operation is CrossEntropyGradient);

        SourceWriter w = FileHeader.Open(spec);
        w.Line($"/// <summary>{spec.Type.Name} for TorchSharp: ids [batch, sequence] to logits [batch, sequence, {types.Tables.Vocabulary}], with the compiled forward and backward.</summary>");
        w.Line(FileHeader.Generated).Open($"public sealed class Module : {Runtime}CompiledModule<{name}>");
        w.Line("/// <summary>Plans training, allocates exactly the planned memory as one tensor of the device and makes its parameters views of it.</summary>");
        w.Line($"public Module(§TrainingPlan plan, {Device}? device = null) : this(plan, new {Runtime}TorchBackend(device))").Open().Close().Line();
        w.Line($"private Module(§TrainingPlan plan, {Runtime}TorchBackend backend) : base(\"{spec.Type.Name}\", {name}.ForTraining(plan, backend), backend)").Open().Close().Line();
        w.Line("/// <inheritdoc/>");
        w.Line("protected override §Tensor ForwardHead(int firstRow) => Model.ForwardHead(new LossBuffers(Model.LossFrameAt(firstRow)));");
        if (slope is not null)
        {
            w.Line().Line("/// <inheritdoc/>");
            w.Line($"protected override §Tensor LogitsGradient(int firstRow) => new LossBuffers(Model.LossFrameAt(firstRow)).{loss.Names[slope.Output]};");
            w.Line().Line("/// <inheritdoc/>");
            w.Line("protected override void BackwardHead(int firstRow) => Model.BackwardHead(new LossBuffers(Model.LossFrameAt(firstRow)));");
        }

        w.Close().Line();
        w.Line("/// <summary>One chunk of rows: hidden states to logits.</summary>");
        w.Open("private §Tensor ForwardHead(in LossBuffers act)").Line("var ops = Backend;").Line();
        BodyText.Write(w, OperationsText.Lines(types, loss, [.. loss.Forward.Where(op => op != criterion)], true));
        w.Line($"return act.{loss.Names[criterion.Inputs[0]]};").Close();
        if (slope is not null)
        {
            w.Line().Line($"/// <summary>One chunk of rows: the gradient in {loss.Names[slope.Output]} back to the hidden states.</summary>");
            MethodText.Write(w, "BackwardHead", "in LossBuffers act", [], OperationsText.Lines(types, loss, [.. loss.Backward.Where(op => op != slope)], false));
        }

        w.Close();
        return new SourceFile($"{spec.Type.Name}.TorchSharp.g.cs", w.ToString());
    }
}
