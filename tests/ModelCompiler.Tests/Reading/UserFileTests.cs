using System.IO.Compression;
using ModelCompiler.Reading;
using ModelCompiler.Tests.Files;
using ModelCompiler.Tokenizers;

namespace ModelCompiler.Tests.Reading;

public sealed class UserFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_folder_in_place_of_a_file() => AssertRefused(_folder.Path, "folder");

    [Fact]
    public void A_file_that_is_not_there() => AssertRefused(Path.Combine(_folder.Path, "none.json"), "no such file");

    [Fact]
    public void A_path_that_no_file_can_have() => AssertRefused("a\0b", "cannot be read");

    [Fact]
    public void A_pointer_of_Git_LFS() =>
        AssertRefused(Write("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 2\n"u8), "Git LFS pointer", "git lfs pull");

    [Fact]
    public void A_page() => AssertRefused(Write("\n<!DOCTYPE html><html>"u8), "HTML page");

    [Fact]
    public void An_archive()
    {
        using var zipped = new MemoryStream();
        using (var stream = new GZipStream(zipped, CompressionMode.Compress, leaveOpen: true))
        {
            stream.Write("{}"u8);
        }

        AssertRefused(Write(zipped.ToArray()), "gzip");

        using var archive = new MemoryStream();
        using (var zip = new ZipArchive(archive, ZipArchiveMode.Create, leaveOpen: true))
        {
            zip.CreateEntry("a.json").Open().Dispose();
        }

        AssertRefused(Write(archive.ToArray()), "zip archive");
    }

    [Fact]
    public void A_list_in_place_of_an_object() => AssertRefused(Write("[]"u8), "must be a JSON object, not []");

    [Fact]
    public void A_byte_order_mark_is_no_part_of_a_text() => Assert.Equal("a", UserFile.ReadText(Write("\uFEFFa"u8), TokenizerException.In));

    private string Write(ReadOnlySpan<byte> bytes)
    {
        string path = Path.Combine(_folder.Path, "file");
        File.WriteAllBytes(path, bytes);
        return path;
    }

    private static void AssertRefused(string path, params string[] words)
    {
        string message = Assert.Throws<TokenizerException>(() => UserFile.ReadObject(path, TokenizerException.In)).Message;
        Assert.All(words.Prepend(path), word => Assert.Contains(word, message, StringComparison.Ordinal));
    }
}
