using ModelCompiler.Compiler.Description;
using ModelCompiler.Compiler.Lowering;
using ModelCompiler.Planning;

namespace ModelCompiler.Compiler.Passes;

/// <summary>One variant of the block: which adapters it has and how far backward goes through it.</summary>
/// <param name="Name">Its name in generated code.</param>
/// <param name="Layers">The layers that run it.</param>
/// <param name="None">Operations and frame when everything is kept.</param>
/// <param name="Selective">Operations and frame when cheap values are recomputed.</param>
/// <param name="Pass">Operations and frame of a forward that saves nothing.</param>
/// <param name="Recompute">Operations and frame of a backward that recomputes all of forward from the layer's input.</param>
/// <param name="Decode">Operations and frame for generation.</param>
public sealed record BlockVariant(
    string Name, LayerSet Layers, FrameDraft None, FrameDraft Selective, FrameDraft Pass, FrameDraft Recompute, FrameDraft Decode);

/// <summary>A model after all passes: what the writers print and the planner plans.</summary>
public sealed record CompiledModel(
    ModelSpec Spec,
    Network Network,
    AdaptedProjection[] Slots,
    BlockVariant[] Variants,
    FrameDraft Prologue,
    FrameDraft Loss,
    FrameDraft Head,
    int[] CacheWidths);
