using ModelCompiler.Backends;
using ModelCompiler.Models;
using ModelCompiler.Planning;
using ModelCompiler.Tensors;
using TorchSharp;
using Parameter = ModelCompiler.Models.Parameter;

namespace ModelCompiler.Torch;

/// <summary>
/// A compiled model as a module of TorchSharp; the generator derives <c>X.Module</c> from it. Its parameters, named by their paths, are views of
/// the model's arena: an optimizer of torch that steps in place trains the model itself. Frozen ones ask for no gradient, quantized ones are no
/// parameters of torch. The arena keeps the activations of one step: the backward of an earlier forward computes that forward again. Must not be
/// moved to another device or type: choose the device in the constructor.
/// </summary>
/// <typeparam name="T">The compiled class.</typeparam>
public abstract class CompiledModule<T> : torch.nn.Module<TorchTensor, TorchTensor>, ICompiledModule
    where T : TransformerModel
{
    private readonly TorchBackend _backend;
    private readonly Parameter[] _trainable;
    private readonly TorchTensor[] _leaves;
    private readonly TorchTensor[] _gradients;
    private TorchTensor[] _given = [];
    private CompiledStep? _current;
    private ulong _steps;

    /// <summary>Makes the model's parameters the module's.</summary>
    /// <param name="name">Name of the module.</param>
    /// <param name="model">The model, planned for training; the module disposes it.</param>
    /// <param name="backend">Its backend.</param>
    protected CompiledModule(string name, T model, TorchBackend backend)
        : base(name)
    {
        (Model, _backend) = (model, backend);
        foreach (Parameter parameter in model.Parameters.Where(p => !p.Value.Type.IsQuantized()))
        {
            register_parameter(parameter.Path, new global::TorchSharp.Modules.Parameter(Memory(parameter, parameter.Value), parameter.Info.Trainable));
        }

        _trainable = [.. model.Trainable];
        Dictionary<string, global::TorchSharp.Modules.Parameter> named = named_parameters().ToDictionary(p => p.name, p => p.parameter);
        _leaves = [.. _trainable.Select(p => named[p.Path])];
        _gradients = [.. _trainable.Select(p => Memory(p, p.WholeGradient))];
    }

    /// <summary>The compiled model.</summary>
    public T Model { get; }

    /// <summary>Seed of the dropout masks, together with the number of forwards before.</summary>
    public ulong Seed { get; set; }

    /// <summary>Ids to logits; at most the plan's batch and sequence.</summary>
    /// <param name="input">Token ids, [batch, sequence], of any type of integers.</param>
    /// <returns>Logits, [batch, sequence, vocabulary], in Float32; differentiable where gradients are on.</returns>
    /// <exception cref="ArgumentException">There are more sequences or positions than planned.</exception>
    public override TorchTensor forward(TorchTensor input)
    {
        if (input.shape.Length != 2)
        {
            throw new ArgumentException($"Token ids are [batch, sequence], not [{string.Join(", ", input.shape)}].", nameof(input));
        }

        using TorchTensor host = input.to_type(torch.ScalarType.Int32).cpu().contiguous();
        var step = new CompiledStep(this, host.data<int>().ToArray(), (int)input.shape[0], (int)input.shape[1], Seed + _steps++, training);
        return CompiledFunction.Apply(step, _leaves);
    }

    /// <inheritdoc/>
    TorchTensor ICompiledModule.Forward(CompiledStep step)
    {
        Compute(step);
        TorchTensor logits = torch.empty(step.Batch, step.Sequence, Model.Tables.Vocabulary, dtype: torch.ScalarType.Float32, device: _backend.Device);
        using TorchTensor rows = logits.view(-1, Model.Tables.Vocabulary);
        for (int row = 0; row < Model.TargetCount; row += Model.ChunkRows)
        {
            Tensor chunk = ForwardHead(row);
            using TorchTensor source = _backend.View(chunk);
            using TorchTensor destination = rows.narrow(0, row, chunk.Rows);
            destination.copy_(source);
        }

        return logits;
    }

    /// <inheritdoc/>
    IReadOnlyList<TorchTensor> ICompiledModule.Backward(CompiledStep step, TorchTensor gradient)
    {
        Release();
        if (!ReferenceEquals(_current, step))
        {
            Compute(step);
        }

        _current = null;
        Model.ZeroGradients();
        if (!Model.ResidualGradient.IsNone)
        {
            Model.Backend.Zero(Model.ResidualGradient);
        }

        using TorchTensor rows = gradient.reshape(-1, Model.Tables.Vocabulary);
        for (int row = 0; row < Model.TargetCount; row += Model.ChunkRows)
        {
            // What the head computes between hidden states and logits is kept for one chunk only.
            ForwardHead(row);
            Tensor chunk = LogitsGradient(row);
            using TorchTensor destination = _backend.View(chunk);
            using TorchTensor source = rows.narrow(0, row, chunk.Rows);
            destination.copy_(source);
            BackwardHead(row);
        }

        Model.Backward();

        // Torch may hold a gradient beyond the next backward: to add another forward's, or because the user asked for it.
        _given = [.. _gradients.Select(static g => g.clone().DetachFromDisposeScope())];
        return _given;
    }

    /// <summary>Computes one chunk of logits, in the plan's memory.</summary>
    /// <param name="firstRow">The chunk's first row among the tokens.</param>
    protected abstract Tensor ForwardHead(int firstRow);

    /// <summary>Where the gradient of a chunk's logits goes.</summary>
    /// <param name="firstRow">The chunk's first row among the tokens.</param>
    protected virtual Tensor LogitsGradient(int firstRow) => throw NothingTrains();

    /// <summary>From the gradient of a chunk's logits back to the hidden states.</summary>
    /// <param name="firstRow">The chunk's first row among the tokens.</param>
    protected virtual void BackwardHead(int firstRow) => throw NothingTrains();

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        if (disposing)
        {
            Release();
            foreach (TorchTensor gradient in _gradients)
            {
                gradient.Dispose();
            }

            Model.Dispose();
        }
    }

    private void Compute(CompiledStep step)
    {
        Release();
        // Every row has a target as far as the compiled model knows: which rows count is for the user's loss to say.
        Model.BeginStep(new Step(step.Batch, step.Sequence, Seed: step.Seed), step.Ids, new int[step.Ids.Length], step.Training);
        Model.Forward();
        _current = step;
    }

    /// <summary>Lets go of the gradients that torch has taken by now.</summary>
    private void Release()
    {
        foreach (TorchTensor gradient in _given)
        {
            gradient.Dispose();
        }

        _given = [];
    }

    /// <summary>A tensor of its own over a parameter's memory. A view would share the arena's count of changes, and every kernel would seem to change it.</summary>
    private TorchTensor Memory(Parameter parameter, Tensor handle)
    {
        using TorchTensor view = _backend.View(handle);
        using TorchTensor shaped = parameter.Info.Vector ? view.view(-1) : view.alias();
        return torch.empty(0, dtype: shaped.dtype, device: _backend.Device).set_(shaped).DetachFromDisposeScope();
    }

    private InvalidOperationException NothingTrains() => new($"Nothing of {Model.Tables.Name} is trained.");
}
