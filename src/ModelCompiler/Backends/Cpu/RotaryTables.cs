using System.Runtime.InteropServices;

namespace ModelCompiler.Backends.Cpu;

/// <summary>
/// Cosines and sines of rotary positions, worked out in double once per (θ, width) and kept in pinned managed arrays: for each position
/// width / 2 cosines, then width / 2 sines. They grow by doubling when a later position is asked for.
/// </summary>
internal sealed unsafe class RotaryTables
{
    private readonly List<Table> tables = [];

    /// <summary>The table's first element, with this many positions at least.</summary>
    public float* Get(float theta, int width, int positions)
    {
        int index = 0;
        while (index < tables.Count && (tables[index].Theta != theta || tables[index].Width != width))
        {
            index++;
        }

        if (index == tables.Count)
        {
            tables.Add(new Table(theta, width, []));
        }

        Table table = tables[index];
        int known = table.Values.Length / Math.Max(width, 1);
        if (known < positions)
        {
            tables[index] = table = table with { Values = Compute(theta, width, Math.Max(positions, 2 * known)) };
        }

        return (float*)Marshal.UnsafeAddrOfPinnedArrayElement(table.Values, 0);
    }

    private static float[] Compute(float theta, int width, int positions)
    {
        int half = width / 2;
        float[] values = GC.AllocateUninitializedArray<float>(positions * width, pinned: true);
        for (int i = 0; i < half; i++)
        {
            double frequency = Math.Pow(theta, -2.0 * i / width);
            for (int position = 0; position < positions; position++)
            {
                (double sin, double cos) = Math.SinCos(position * frequency);
                values[position * width + i] = (float)cos;
                values[position * width + half + i] = (float)sin;
            }
        }

        return values;
    }

    private readonly record struct Table(float Theta, int Width, float[] Values);
}
