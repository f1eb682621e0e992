using ModelCompiler.Tests.Files;

namespace ModelCompiler.Tests.Mutations;

/// <summary>A reader of the product with right files for it.</summary>
/// <param name="Name">Its name, which seeds its mutations.</param>
/// <param name="Covers">The public methods that it tries, as TYPE.METHOD.</param>
/// <param name="Files">Names of the files that are damaged, one in a case.</param>
/// <param name="Prepare">Writes right files into a folder, and gives what reads them: whatever is read lazily must be read too.</param>
/// <param name="Allowed">The documented exceptions; none where damage is worked around.</param>
internal sealed record MutatedReader(string Name, string[] Covers, string[] Files, Func<TemporaryFolder, Action> Prepare, params Type[] Allowed)
{
    public override string ToString() => Name;
}
