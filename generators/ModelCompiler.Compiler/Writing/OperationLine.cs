namespace ModelCompiler.Compiler.Writing;

/// <summary>One kernel call of a generated method, with what the text says of it.</summary>
/// <param name="Call">The call.</param>
/// <param name="Formula">What it computes.</param>
/// <param name="Shape">Shape of what it writes.</param>
/// <param name="Note">What becomes of that: "saved", "recomputed".</param>
/// <param name="Section">The attributes whose operations begin here; null: those of the line before.</param>
internal sealed record OperationLine(string Call, string Formula, string Shape, string Note, string? Section);

/// <summary>Lines that run under one condition.</summary>
/// <param name="Condition">The condition in C#; null: always.</param>
/// <param name="Lines">The lines.</param>
/// <param name="Otherwise">Whether the condition is that the group before does not run.</param>
internal sealed record OperationGroup(string? Condition, IReadOnlyList<OperationLine> Lines, bool Otherwise = false);
