namespace ModelCompiler.Planning;

/// <summary>Puts buffers one after the other, in the arena and in paged memory. Each ends aligned, so that alike buffers take alike memory wherever they begin.</summary>
internal sealed class ArenaCursor(BackendProfile profile)
{
    /// <summary>One past the last byte of the arena so far.</summary>
    public long End { get; set; }

    /// <summary>One past the last byte of paged memory so far.</summary>
    public long PagedEnd { get; private set; }

    /// <summary>Places a buffer whose rows lie one after the other.</summary>
    public Placement Place(int rows, int columns, DType type)
    {
        var place = new Placement(End, rows, columns, type);
        End += profile.Align(StorageLayout.BytesOf(type, rows, columns));
        return place;
    }

    /// <summary>Places a parameter's value.</summary>
    public Placement PlaceValue(TrainingPlan options, ParameterRow row, Sizes own) =>
        Place(row.Rows.Evaluate(own), row.Columns.Evaluate(own), options.FormatOf(row).TypeOn(profile));

    /// <summary>Places a trainable parameter's moments.</summary>
    /// <param name="options">The optimizer.</param>
    /// <param name="row">The parameter.</param>
    /// <param name="value">Its value.</param>
    public MomentPlan PlaceMoments(TrainingPlan options, ParameterRow row, Placement value)
    {
        (int rows, int columns) = (value.Rows, value.Columns);
        long elements = (long)rows * columns;
        MomentStorage storage = options.StorageOf(row, elements);
        if (storage == MomentStorage.Full)
        {
            return new MomentPlan(storage, Place(rows, columns, value.Type), Place(rows, columns, value.Type));
        }

        if (storage == MomentStorage.Paged)
        {
            return new MomentPlan(storage, PlacePaged(rows, columns, value.Type), PlacePaged(rows, columns, value.Type));
        }

        int blocks = MomentBlock.Count(elements);
        return new MomentPlan(
            storage, Place(rows, columns, DType.UInt8), Place(rows, columns, DType.UInt8), Place(blocks, 1, profile.Compute), Place(blocks, 1, profile.Compute));
    }

    /// <summary>Places the two buffers that paged moments pass through; none where nothing is paged.</summary>
    public Placement[] PlacePageBuffers(TrainingPlan options, IEnumerable<MomentPlan> moments)
    {
        int largest = 0;
        DType type = default;
        foreach (MomentPlan moment in moments)
        {
            if (moment.Storage == MomentStorage.Paged)
            {
                largest = Math.Max(largest, Math.Min(moment.First.Rows, MomentPages.RowsOf(options.PageElements, moment.First.Columns)) * moment.First.Columns);
                type = moment.First.Type;
            }
        }

        return largest == 0 ? [] : [Place(1, largest, type), Place(1, largest, type), Place(1, largest, type), Place(1, largest, type)];
    }

    private Placement PlacePaged(int rows, int columns, DType type)
    {
        var place = new Placement(PagedEnd, rows, columns, type);
        PagedEnd += profile.Align((long)rows * columns * type.Size());
        return place;
    }
}
