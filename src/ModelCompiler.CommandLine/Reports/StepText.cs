using System.Globalization;
using ModelCompiler.Planning;

namespace ModelCompiler.CommandLine.Reports;

/// <summary>The operations of a training step in words.</summary>
internal static class StepText
{
    /// <summary>The phase that a part belongs to.</summary>
    public static string Phase(StepPart part) => part switch
    {
        StepPart.Prologue or StepPart.Forward => "forward",
        StepPart.Loss => "loss",
        StepPart.Update => "update",
        _ => "backward",
    };

    /// <summary>What runs: "backward of layer 31".</summary>
    public static string Region(LiveBytes operation) => operation.Part switch
    {
        StepPart.Prologue => "forward of the embedding",
        StepPart.Forward => $"forward of layer {Invariant(operation.Index)}",
        StepPart.Loss => "the loss",
        StepPart.Recompute => $"forward of layer {Invariant(operation.Index)}, again",
        StepPart.Backward => $"backward of layer {Invariant(operation.Index)}",
        StepPart.PrologueBackward => "backward of the embedding",
        _ => "the update",
    };

    /// <summary>The same with the operation, by what it is the first to write: "backward of layer 31, writing GateGradient".</summary>
    public static string Operation(Plan plan, LiveBytes operation)
    {
        string[] written = LiveSet.FrameOf(plan, operation) is { } frame
            ? [.. frame.Table.Buffers.Where(r => r.Kind != BufferKind.Absent && r.Shares < 0 && r.First == operation.Position).Select(r => r.Name)]
            : [];
        return Region(operation) + (written.Length > 0 ? $", writing {string.Join(", ", written)}" : "");
    }

    private static string Invariant(int number) => number.ToString(CultureInfo.InvariantCulture);
}
