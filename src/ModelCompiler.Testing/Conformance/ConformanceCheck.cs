using ModelCompiler.Backends;
using ModelCompiler.Planning;
using ModelCompiler.Tensors;

namespace ModelCompiler.Testing.Conformance;

/// <summary>Compares a backend with Reference over every variation of a case.</summary>
internal sealed class ConformanceCheck : IDisposable
{
    /// <summary>What a tensor's magnitude is at least taken for: inputs are of order 1, and a small result may be a difference of such.</summary>
    private const double MagnitudeFloor = 0.25;

    private readonly Bench reference = new(new Testing.Reference.ReferenceBackend());

    /// <summary>What disagrees, one line each; empty when all agree.</summary>
    public List<string> Compare(Bench bench, OperationCase operation)
    {
        var failures = new List<string>();
        foreach (Variation variation in Variation.Of(operation))
        {
            Dictionary<string, double[]> values = Values(operation, variation);
            bool noneInput = operation.Operands.Any(o => o.Name == variation.None && !o.IsResult);
            Handles expected = reference.Run(operation, values, new Variation(None: noneInput ? variation.None : null));
            Handles actual = bench.Run(operation, values, variation);
            foreach (Operand operand in operation.Operands.Where(o => o.IsResult && o.Name != variation.None))
            {
                Compare(operation, variation, operand, reference.Read(expected[operand.Name]), bench.Read(actual[operand.Name]), failures);
            }

            long outside = bench.FindWriteOutside();
            if (outside >= 0)
            {
                failures.Add($"{operation} {variation}: wrote outside its tensors at byte {outside}");
            }
        }

        return failures;
    }

    public void Dispose() => reference.Dispose();

    /// <summary>Random values of every operand, exact in float32 (in bfloat16 for weights of that type); the same for every backend.</summary>
    public Dictionary<string, double[]> Values(OperationCase operation, Variation variation)
    {
        var random = new Random(operation.ToString().Aggregate(17, (hash, c) => hash * 31 + c));
        var values = new Dictionary<string, double[]>();
        foreach (Operand operand in operation.Operands)
        {
            if (operand.Role is not (Role.Output or Role.Derived))
            {
                values[operand.Name] = RandomValues(operand, random, operand.Role == Role.Weight && variation.WeightType == DType.BFloat16);
            }
        }

        if (operation.Prepare != null)
        {
            Handles handles = reference.Place(operation, values, new Variation());
            reference.Backend.BeginStep(operation.Step);
            operation.Prepare(reference.Backend, handles);
            foreach (Operand operand in operation.Operands.Where(o => o.Role == Role.Derived))
            {
                values[operand.Name] = [.. reference.Read(handles[operand.Name]).Select(v => (double)(float)v)];
            }
        }

        return values;
    }

    private static double[] RandomValues(Operand operand, Random random, bool bfloat16)
    {
        var values = new double[operand.Rows * operand.Columns];
        for (int i = 0; i < values.Length; i++)
        {
            if (operand.Role == Role.Ids)
            {
                values[i] = operand.Ignored && random.Next(4) == 0 ? -100 : random.Next(operand.Limit);
                continue;
            }

            if (operand.Role == Role.Codes)
            {
                values[i] = random.Next(256);
                continue;
            }

            double normal = Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
            float value = (float)(operand.Scale * (operand.Positive ? Math.Abs(normal) : normal));
            values[i] = bfloat16 ? HostTransfer.FromBFloat16(HostTransfer.ToBFloat16(value)) : value;
        }

        return values;
    }

    private static void Compare(
        OperationCase operation, Variation variation, Operand operand, double[] expected, double[] actual, List<string> failures)
    {
        if (operand.Role == Role.Codes)
        {
            int off = Array.FindIndex(expected.Zip(actual, (e, a) => Math.Abs(a - e)).ToArray(), difference => !(difference <= 1));
            if (off >= 0)
            {
                failures.Add($"{operation} {variation}: {operand.Name}[{off / operand.Columns}, {off % operand.Columns}] is code {actual[off]}, Reference has {expected[off]}");
            }

            return;
        }

        double magnitude = Math.Max(MagnitudeFloor, Math.Sqrt(expected.Sum(e => e * e) / expected.Length));
        for (int i = 0; i < expected.Length; i++)
        {
            double error = Math.Abs(actual[i] - expected[i]) / (Math.Abs(expected[i]) + magnitude);
            if (!(error <= operation.Tolerance))
            {
                failures.Add(
                    $"{operation} {variation}: {operand.Name}[{i / operand.Columns}, {i % operand.Columns}] is {actual[i]:R}, Reference has {expected[i]:R} (relative error {error:E1}, allowed {operation.Tolerance:E1})");
                return;
            }
        }
    }
}
