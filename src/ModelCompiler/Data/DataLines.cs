using ModelCompiler.Reading;

namespace ModelCompiler.Data;

/// <summary>Lines of a file of any size, as bytes: no more of it than the longest line is held at once.</summary>
internal static class DataLines
{
    private const int FirstBuffer = 1 << 16;

    /// <summary>Lines that are not blank, with their numbers from 1; a line's bytes are gone when the next is asked for.</summary>
    /// <exception cref="DatasetException">The file cannot be read, or a line is longer than an array.</exception>
    public static IEnumerable<(long Number, ReadOnlyMemory<byte> Text)> Read(string path)
    {
        using Stream stream = UserFile.Open(path, DatasetException.In);
        byte[] buffer = new byte[FirstBuffer];
        (int start, int searched, int end) = (0, 0, 0);
        long number = 0;
        for (bool more = true; more;)
        {
            int newline = Array.IndexOf(buffer, (byte)'\n', searched, end - searched);
            searched = end;
            if (newline < 0)
            {
                MakeRoom(ref buffer, ref start, ref end, $"{path}, line {number + 1}");
                int read = UserFile.Read(stream, buffer.AsMemory(end), path, DatasetException.In);
                (searched, end) = (end, end + read);
                if (read > 0)
                {
                    continue;
                }

                (more, newline) = (false, end);
            }

            number++;
            ReadOnlyMemory<byte> line = buffer.AsMemory(start, newline - start);
            line = number == 1 && line.Span.StartsWith("\uFEFF"u8) ? line[3..] : line;
            if (!line.Span.Trim(" \t\r"u8).IsEmpty)
            {
                yield return (number, line);
            }

            start = searched = Math.Min(newline + 1, end);
        }
    }

    private static void MakeRoom(ref byte[] buffer, ref int start, ref int end, string source)
    {
        if (start > 0)
        {
            buffer.AsSpan(start, end - start).CopyTo(buffer);
            (start, end) = (0, end - start);
        }

        if (end == buffer.Length)
        {
            if (end == Array.MaxLength)
            {
                throw new DatasetException($"{source}: the line is longer than {Array.MaxLength} bytes; write one row a line");
            }

            Array.Resize(ref buffer, (int)Math.Min(2L * end, Array.MaxLength));
        }
    }
}
