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
    public Placement PlaceValue(TrainingPlan options, ParameterInfo row, Sizes own) =>
        Place(row.Rows.Evaluate(own), row.Columns.Evaluate(own), options.FormatOf(row).TypeOn(profile));

    /// <summary>Places a trainable parameter's moments.</summary>
    /// <param name="options">The optimizer.</param>
    /// <param name="row">The parameter.</param>
    /// <param name="value">Its value.</param>
    public MomentPlan PlaceMoments(TrainingPlan options, ParameterInfo row, Placement value)
    {
        (int rows, int columns) = (value.Rows, value.Columns);
        long elements = (long)rows * columns;
        MomentStorage storage = options.StorageOf(row, elements);
        UpdateRule rule = options.RuleOf(row);
        int blocks = MomentBlock.Count(elements);
        return storage switch
        {
            MomentStorage.Full => new MomentPlan(storage, State(0), State(1), Rule: rule),
            MomentStorage.Paged => new MomentPlan(storage, Paged(0), Paged(1), Rule: rule),
            _ => new MomentPlan(storage, Codes(0), Codes(1), Scales(0), Scales(1), rule),
        };

        Placement State(int index) => index < rule.States ? Place(rows, columns, value.Type) : default;
        Placement Paged(int index) => index < rule.States ? PlacePaged(rows, columns, value.Type) : default;
        Placement Codes(int index) => index < rule.States ? Place(rows, columns, DType.UInt8) : default;
        Placement Scales(int index) => index < rule.States ? Place(blocks, 1, profile.Compute) : default;
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
