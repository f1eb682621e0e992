using System.Text.Json;
using System.Text.Json.Serialization;

namespace ModelCompiler.Tests.Fixtures;

/// <summary>Reads the JSON files of tests/Fixtures; a member missing on either side is an error.</summary>
public static class FixtureFile
{
    private static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web)
    {
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        NumberHandling = JsonNumberHandling.Strict,
    };

    /// <summary>Reads one file.</summary>
    /// <exception cref="InvalidDataException">The file holds null.</exception>
    /// <exception cref="JsonException">The file is not what <typeparamref name="T"/> says.</exception>
    public static T Read<T>(string fileName)
        where T : class
    {
        string path = Path.Combine(TestData.Repository, "tests", "Fixtures", fileName);
        using FileStream stream = File.OpenRead(path);
        return JsonSerializer.Deserialize<T>(stream, Options) ?? throw new InvalidDataException($"{path} holds null.");
    }
}
