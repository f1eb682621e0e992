using System.Runtime.InteropServices;
using ModelCompiler.Operations;

namespace ModelCompiler.Backends.Cpu;

/// <summary>
/// Cosines and sines of rotary positions, worked out in double once per shape and kept in pinned managed arrays: for each position
/// width / 2 cosines, then width / 2 sines. They grow by doubling when a later position is asked for.
/// </summary>
internal sealed unsafe class RotaryTables
{
    private readonly List<Table> tables = [];

    /// <summary>The table's first element, with this many positions at least.</summary>
    public float* Get(RotaryShape shape, int positions)
    {
        int index = 0;
        while (index < tables.Count && tables[index].Shape != shape)
        {
            index++;
        }

        if (index == tables.Count)
        {
            tables.Add(new Table(shape, []));
        }

        Table table = tables[index];
        int known = table.Values.Length / Math.Max(shape.Width, 1);
        if (known < positions)
        {
            tables[index] = table = table with { Values = Compute(shape, Math.Max(positions, 2 * known)) };
        }

        return (float*)Marshal.UnsafeAddrOfPinnedArrayElement(table.Values, 0);
    }

    private static float[] Compute(RotaryShape shape, int positions)
    {
        int half = shape.Width / 2;
        float[] values = GC.AllocateUninitializedArray<float>(positions * shape.Width, pinned: true);
        for (int i = 0; i < half; i++)
        {
            double frequency = shape.Frequency(i);
            for (int position = 0; position < positions; position++)
            {
                (double sin, double cos) = Math.SinCos(position * frequency);
                values[position * shape.Width + i] = (float)cos;
                values[position * shape.Width + half + i] = (float)sin;
            }
        }

        return values;
    }

    private readonly record struct Table(RotaryShape Shape, float[] Values);
}
