using ModelCompiler.Backends;
using ModelCompiler.Planning;
using ModelCompiler.Tensors;

namespace ModelCompiler.Models;

/// <summary>
/// The parameters of adapters with moving ranks, which share their memory: when ranks move, what stays is copied to its new place by way of the
/// gradients' region, which is free between steps. Nothing is allocated on the device.
/// </summary>
internal sealed class PackedAdapters
{
    private readonly TransformerModel _model;
    private readonly PackedRegions _regions;
    private readonly Parameter[] _parameters;
    private readonly (ParameterInfo Row, int Layer)[] _rows;

    public PackedAdapters(TransformerModel model, PackedRegions regions)
    {
        (_model, _regions) = (model, regions);
        _parameters = [.. model.Parameters.Where(p => p.Info.Slot >= 0 && model.Tables.Slots[p.Info.Slot].Options.MovingRanks)];
        _rows = [.. _parameters.Select(p => (p.Info, p.Layer))];
        Ranks = model.Plan.Sizes.Pattern ?? new RankPattern(model.Tables, (slot, _) => model.Plan.Sizes.Ranks[slot]);
    }

    /// <summary>The ranks as they are now.</summary>
    public RankPattern Ranks { get; private set; }

    /// <summary>Takes other ranks. All values and moments are undefined afterwards; gradients too.</summary>
    /// <exception cref="ArgumentException">The ranks do not fit the plan's room.</exception>
    public void Resize(RankPattern ranks)
    {
        Require(ranks);
        Ranks = ranks;
        long[] offsets = Offsets(ranks);
        for (int i = 0; i < _parameters.Length; i++)
        {
            (int rows, int columns) = Shape(i);
            _parameters[i].Bind(
                At(_regions.Values + offsets[i], rows, columns), At(_regions.Gradients + offsets[i], rows, columns),
                At(_regions.First + offsets[i], rows, columns), At(_regions.Second + offsets[i], rows, columns));
        }
    }

    /// <summary>
    /// Moves to other ranks: of each adapter the directions named in <paramref name="kept"/> stay, in their order, as its first ones; all others have
    /// values of 0.
    /// </summary>
    /// <param name="ranks">The new ranks.</param>
    /// <param name="kept">The directions that stay, by slot and layer.</param>
    /// <param name="moments">Whether moments move along; else all of them become 0.</param>
    /// <exception cref="ArgumentException">The ranks do not fit the plan's room.</exception>
    public void Move(RankPattern ranks, Func<int, int, int[]> kept, bool moments)
    {
        Require(ranks);
        IBackend kernels = _model.Backend;
        Tensor[][] before = [[.. _parameters.Select(p => p.Value)], [.. _parameters.Select(p => p.Moments.First)], [.. _parameters.Select(p => p.Moments.Second)]];
        Resize(ranks);
        for (int i = 0; i < _parameters.Length; i++)
        {
            kernels.Zero(_parameters[i].WholeGradient);
        }

        for (int kind = 0; kind < before.Length; kind++)
        {
            if (kind == 0 || moments)
            {
                for (int i = 0; i < _parameters.Length; i++)
                {
                    Keep(before[kind][i], _parameters[i], kept(_parameters[i].Info.Slot, _parameters[i].Layer));
                }
            }

            foreach (Parameter parameter in _parameters)
            {
                Tensor place = kind switch { 0 => parameter.Value, 1 => parameter.Moments.First, _ => parameter.Moments.Second };
                kernels.Copy(parameter.WholeGradient, place);
                if (kind == 0 && !moments)
                {
                    kernels.Zero(parameter.WholeGradient);
                }
            }
        }
    }

    /// <summary>Copies the directions that stay to the front of the gradient, run by run.</summary>
    private void Keep(Tensor from, Parameter to, int[] kept)
    {
        for (int first = 0, count; first < kept.Length; first += count)
        {
            count = 1;
            while (first + count < kept.Length && kept[first + count] == kept[first] + count)
            {
                count++;
            }

            bool byRow = to.Info.Rows.Symbol == DimSymbol.Rank;
            Window source = byRow ? new Window(kept[first], count, 0, from.Columns) : new Window(0, from.Rows, kept[first], count);
            Window target = byRow ? source with { FirstRow = first } : source with { FirstColumn = first };
            _model.Backend.Copy(source.Of(from), target.Of(to.WholeGradient));
        }
    }

    private void Require(RankPattern ranks)
    {
        AdapterSlot[] slots = _model.Tables.Slots;
        bool within = ranks.Fits(_model.Tables) && _rows.All(r => ranks[r.Row.Slot, r.Layer] is var rank && rank > 0 && rank <= slots[r.Row.Slot].MaximumRank);
        if (!within || Offsets(ranks)[^1] > _regions.Bytes)
        {
            throw new ArgumentException($"the ranks {ranks} do not fit the {_regions.Bytes} bytes that the plan has for each region of the adapters", nameof(ranks));
        }
    }

    private long[] Offsets(RankPattern ranks) => RankPacking.Offsets(_rows, _model.Plan.Sizes with { Pattern = ranks }, _model.Plan.Profile);

    private (int Rows, int Columns) Shape(int i)
    {
        Sizes sizes = (_model.Plan.Sizes with { Pattern = Ranks }).In(_rows[i].Layer);
        return (_rows[i].Row.Rows.Evaluate(sizes), _rows[i].Row.Columns.Evaluate(sizes));
    }

    private Tensor At(long offset, int rows, int columns) => new(offset, rows, columns, columns, _model.Plan.Profile.Compute);
}
