namespace ModelCompiler.Planning;

/// <summary>
/// The time of an optimizer step by a device's rates. Products take as long as their operations or the reading of their weights, whichever is longer;
/// values and the update are moved beside that. The catalog counts both.
/// </summary>
/// <param name="tables">The model.</param>
/// <param name="profile">The backend.</param>
/// <param name="rates">The device's rates.</param>
internal sealed class StepTime(ModelTables tables, BackendProfile profile, DeviceRates rates)
{
    /// <summary>
    /// How often an update passes over a parameter's bytes: gradient zeroed, added up for the norm, read; parameter and moments read and written. 8-bit
    /// moments move less and compute more: they are taken to cost the same.
    /// </summary>
    private const int UpdatePasses = 9;

    private readonly Dictionary<(Checkpointing, int), StepWork> _work = [];
    private readonly Dictionary<WeightFormat, (double InLayers, double Outside)> _formats = [];
    private (double InLayers, double Outside)? _declared;

    /// <summary>Seconds of an optimizer step, all of its micro-steps counted.</summary>
    /// <param name="plan">The plan.</param>
    /// <param name="sizes">Its sizes.</param>
    /// <param name="cost">What it takes.</param>
    public double Seconds(TrainingPlan plan, Sizes sizes, MemoryCost cost)
    {
        if (!_work.TryGetValue((plan.Checkpointing, plan.CheckpointEvery), out StepWork? work))
        {
            _work.Add((plan.Checkpointing, plan.CheckpointEvery), work = StepWork.Train(tables, plan.Checkpointing, plan.CheckpointEvery));
        }

        (double inLayers, double outside) = BytesPerElement(plan);
        double products = Math.Max(work.Flops(sizes) / rates.FlopsPerSecond, work.WeightBytes(sizes, inLayers, outside) / rates.BytesPerSecond);
        double micro = products + work.ActivationBytes(sizes, profile) / rates.BytesPerSecond;
        double update = UpdatePasses * cost.Gradients / rates.BytesPerSecond + 2 * cost.Paged / rates.HostBytesPerSecond;
        return plan.GradientAccumulation * micro + update;
    }

    private (double InLayers, double Outside) BytesPerElement(TrainingPlan plan)
    {
        if (plan.Storage is not { } storage)
        {
            return _declared ??= Mean(plan);
        }

        if (!_formats.TryGetValue(storage, out (double, double) bytes))
        {
            _formats.Add(storage, bytes = Mean(plan));
        }

        return bytes;
    }

    private (double InLayers, double Outside) Mean(TrainingPlan plan)
    {
        return (Of(perLayer: true), Of(perLayer: false));

        double Of(bool perLayer)
        {
            (long bytes, long elements) = (0, 0);
            foreach (ParameterInfo row in tables.Parameters)
            {
                if (row.Slot < 0 && row.PerLayer == perLayer)
                {
                    bytes += StorageLayout.BytesOf(plan.FormatOf(row).TypeOn(profile), row.Rows.Factor, row.Columns.Factor);
                    elements += (long)row.Rows.Factor * row.Columns.Factor;
                }
            }

            return elements == 0 ? 0 : bytes / (double)elements;
        }
    }
}
