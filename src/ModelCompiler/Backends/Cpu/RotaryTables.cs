using System.Runtime.InteropServices;
using ModelCompiler.Planning;

namespace ModelCompiler.Backends.Cpu;

/// <summary>
/// Cosines and sines of rotary positions, worked out in double once per (θ, scaling, width) and kept in pinned managed arrays: for each position
/// width / 2 cosines, then width / 2 sines. They grow by doubling when a later position is asked for.
/// </summary>
internal sealed unsafe class RotaryTables
{
    private readonly List<Table> tables = [];

    /// <summary>The table's first element, with this many positions at least.</summary>
    public float* Get(float theta, FrequencyScaling scaling, int width, int positions)
    {
        int index = 0;
        while (index < tables.Count && (tables[index].Theta != theta || tables[index].Scaling != scaling || tables[index].Width != width))
        {
            index++;
        }

        if (index == tables.Count)
        {
            tables.Add(new Table(theta, scaling, width, []));
        }

        Table table = tables[index];
        int known = table.Values.Length / Math.Max(width, 1);
        if (known < positions)
        {
            tables[index] = table = table with { Values = Compute(theta, scaling, width, Math.Max(positions, 2 * known)) };
        }

        return (float*)Marshal.UnsafeAddrOfPinnedArrayElement(table.Values, 0);
    }

    private static float[] Compute(float theta, FrequencyScaling scaling, int width, int positions)
    {
        int half = width / 2;
        float[] values = GC.AllocateUninitializedArray<float>(positions * width, pinned: true);
        for (int i = 0; i < half; i++)
        {
            double frequency = scaling.Frequency(i, width, theta);
            for (int position = 0; position < positions; position++)
            {
                (double sin, double cos) = Math.SinCos(position * frequency);
                values[position * width + i] = (float)cos;
                values[position * width + half + i] = (float)sin;
            }
        }

        return values;
    }

    private readonly record struct Table(float Theta, FrequencyScaling Scaling, int Width, float[] Values);
}
