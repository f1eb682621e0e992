using System.Collections.Immutable;
using System.Reflection;

namespace ModelCompiler.Cuda.Compilation;

/// <summary>CUDA C of one operation and the headers that it may include.</summary>
/// <param name="Name">File name, for messages.</param>
/// <param name="Text">The source.</param>
/// <param name="Headers">Headers by the names under which they are included.</param>
public sealed record KernelSource(string Name, string Text, ImmutableArray<KernelHeader> Headers)
{
    private const string Extension = ".cu";
    private const string HeaderExtension = ".cuh";

    private static readonly Lazy<ImmutableArray<KernelHeader>> EmbeddedHeaders = new(() =>
        [.. Resources(HeaderExtension).Select(name => new KernelHeader(name, Read(name)))]);

    /// <summary>The operations that this library has kernels for: names of embedded sources, without extension, in order.</summary>
    public static ImmutableArray<string> Operations { get; } = [.. Resources(Extension).Select(Path.GetFileNameWithoutExtension).Cast<string>()];

    /// <summary>The embedded source of an operation.</summary>
    /// <param name="operation">One of <see cref="Operations"/>.</param>
    /// <exception cref="ArgumentException">There is none of that name.</exception>
    public static KernelSource Embedded(string operation) => Operations.Contains(operation)
        ? new KernelSource(operation + Extension, Read(operation + Extension), EmbeddedHeaders.Value)
        : throw new ArgumentException($"There is no kernel source {operation}{Extension}.", nameof(operation));

    private static IEnumerable<string> Resources(string extension) =>
        Assembly.GetExecutingAssembly().GetManifestResourceNames().Where(name => name.EndsWith(extension, StringComparison.Ordinal)).Order(StringComparer.Ordinal);

    private static string Read(string resource)
    {
        using Stream stream = Assembly.GetExecutingAssembly().GetManifestResourceStream(resource)!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}

/// <summary>A header of a kernel.</summary>
/// <param name="Name">What the include directive says.</param>
/// <param name="Text">The source.</param>
public sealed record KernelHeader(string Name, string Text);
