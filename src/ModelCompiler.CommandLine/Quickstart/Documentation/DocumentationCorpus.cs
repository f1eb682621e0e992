namespace ModelCompiler.CommandLine.Quickstart.Documentation;

/// <summary>A documented type or member.</summary>
/// <param name="Id">Its ID in documentation files, such as M:System.String.Substring(System.Int32).</param>
/// <param name="Signature">The same as a person would write it, with a word for its kind.</param>
/// <param name="Summary">What it does, as plain text on one line.</param>
public sealed record DocumentedMember(string Id, string Signature, string Summary);

/// <summary>Documented members, some held out for evaluation.</summary>
/// <param name="Training">To learn from.</param>
/// <param name="Distinct">Of those, the first with each masked summary.</param>
/// <param name="HeldOut">Never learned from; no summary of them, type names masked, occurs in training.</param>
/// <param name="Repeated">How many members were left out of both because their masked summary occurs in training.</param>
public sealed record DocumentationCorpus(
    IReadOnlyList<DocumentedMember> Training, IReadOnlyList<DocumentedMember> Distinct, IReadOnlyList<DocumentedMember> HeldOut, int Repeated);
