using System.Globalization;
using System.Text.Json;
using ModelCompiler.Files;
using ModelCompiler.Numerics;
using ModelCompiler.Reading;

namespace ModelCompiler.Adapters;

/// <summary>
/// Spectra in files, one a weight, named by a hash of its values and its shape. Files are written whole, and believed only when their checksum
/// holds and they have the weight's own energy; else the spectrum is found again.
/// </summary>
/// <param name="folder">The folder; null: the user's.</param>
/// <param name="note">Told of files that are damaged or cannot be written.</param>
internal sealed class SpectrumCache(string? folder, Action<string>? note)
{
    private readonly string? _folder = folder ?? UserCache.Folder("spectra");
    private bool _writable = true;

    /// <summary>The spectrum of a weight [rows, columns].</summary>
    /// <param name="weight">Its values.</param>
    /// <param name="rows">Rows.</param>
    /// <param name="columns">Columns.</param>
    /// <param name="count">How many singular values are needed; there may be more.</param>
    public Spectrum Get(float[] weight, int rows, int columns, int count)
    {
        if (_folder is null)
        {
            return Spectrum.Of(weight, rows, columns, count);
        }

        ulong hash = Fnv.Add<float>(Fnv.Start, weight);
        string path = Path.Combine(_folder, string.Create(CultureInfo.InvariantCulture, $"{hash:x16}-{rows}x{columns}.json"));
        if (Read(path, SingularValues.SquaredNorm(weight), Math.Min(rows, columns)) is { } cached && cached.Squares.Length >= count)
        {
            return cached;
        }

        Spectrum found = Spectrum.Of(weight, rows, columns, count);
        Write(path, found);
        return found;
    }

    /// <summary>The file of a spectrum; null where there is none that can be believed.</summary>
    private Spectrum? Read(string path, double energy, int most)
    {
        if (!File.Exists(path))
        {
            return null;
        }

        try
        {
            JsonValue file = UserFile.ReadObject(path, (source, problem, inner) => new DamagedSpectrumException($"{source}: {problem}", inner));
            double[] squares = [.. file.Required("squares", "the squares of the singular values").Items().Select(value => value.AsNumber())];
            var spectrum = new Spectrum(file.Required("energy", "a number").AsNumber(), squares);
            return spectrum.Energy == energy && squares.Length <= most && file.Text("checksum") == Checksum(spectrum)
                ? spectrum
                : throw new DamagedSpectrumException($"{path}: its checksum or its weight's energy is another");
        }
        catch (DamagedSpectrumException error)
        {
            note?.Invoke($"{path} is damaged and is made again: {error.Message}");
            return null;
        }
    }

    /// <summary>A folder that cannot be written costs time and nothing else; that is said once.</summary>
    private void Write(string path, Spectrum spectrum)
    {
        if (!_writable)
        {
            return;
        }

        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteNumber("energy", spectrum.Energy);
            json.WriteStartArray("squares");
            foreach (double square in spectrum.Squares)
            {
                json.WriteNumberValue(square);
            }

            json.WriteEndArray();
            json.WriteString("checksum", Checksum(spectrum));
            json.WriteEndObject();
        }

        try
        {
            AtomicFile.CreateFolder(_folder!);
            AtomicFile.WriteBytes(path, buffer.ToArray());
        }
        catch (OutputException error)
        {
            _writable = false;
            note?.Invoke($"spectra are not kept for the next time: {error.Message}");
        }
    }

    private sealed class DamagedSpectrumException(string message, Exception? inner = null) : ModelCompilerException(message, inner);

    private static string Checksum(Spectrum spectrum) =>
        Fnv.Add<double>(Fnv.Add<double>(Fnv.Start, [spectrum.Energy]), spectrum.Squares).ToString("x16", CultureInfo.InvariantCulture);
}
