using ModelCompiler.Backends;
using ModelCompiler.Planning;
using ModelCompiler.Tensors;

namespace ModelCompiler.Models;

/// <summary>Some rows of a parameter whose moments are fetched together.</summary>
/// <param name="Parameter">The parameter.</param>
/// <param name="FirstRow">The first of the rows.</param>
/// <param name="Rows">How many.</param>
public readonly record struct MomentPage(Parameter Parameter, int FirstRow, int Rows);

/// <summary>
/// The moments that lie in host memory and the two buffers of the arena they pass through. Page i uses buffer i mod 2, so that page i + 1 can be
/// fetched while page i is updated; copies run in the order of their calls, so a page never comes in over one that has not gone out.
/// </summary>
public sealed class PagedMoments
{
    private readonly IBackend _kernels;
    private readonly int _pageElements;
    private readonly Tensor[] _buffers;
    private readonly MomentPage[] _pages;

    internal PagedMoments(TransformerModel model)
    {
        _kernels = model.Backend;
        _pageElements = model.Plan.PageElements;
        _buffers = [.. model.Plan.PageBuffers.Select(b => b.Handle())];
        _pages = [.. model.Trainable.Where(p => p.Moments.Storage == MomentStorage.Paged).SelectMany(PagesOf)];
    }

    /// <summary>Number of pages.</summary>
    public int Count => _pages.Length;

    /// <summary>A page.</summary>
    public MomentPage this[int page] => _pages[page];

    /// <summary>Starts to bring a page in.</summary>
    public void Fetch(int page)
    {
        (Tensor first, Tensor second) = Buffer(page);
        Moments moments = _pages[page].Parameter.Moments;
        _kernels.PageIn(moments.First.Slice(_pages[page].FirstRow, _pages[page].Rows).Offset, first);
        if (!moments.Second.IsNone)
        {
            _kernels.PageIn(moments.Second.Slice(_pages[page].FirstRow, _pages[page].Rows).Offset, second);
        }
    }

    /// <summary>The moments of a page that was fetched, [rows, columns], for kernels.</summary>
    public (Tensor First, Tensor Second) Await(int page)
    {
        (Tensor first, Tensor second) = Buffer(page);
        _kernels.AwaitPage(first);
        _kernels.AwaitPage(second);
        return (first, second);
    }

    /// <summary>Starts to bring a page back, after the kernels called so far.</summary>
    public void Evict(int page)
    {
        (Tensor first, Tensor second) = Buffer(page);
        Moments moments = _pages[page].Parameter.Moments;
        _kernels.PageOut(first, moments.First.Slice(_pages[page].FirstRow, _pages[page].Rows).Offset);
        if (!moments.Second.IsNone)
        {
            _kernels.PageOut(second, moments.Second.Slice(_pages[page].FirstRow, _pages[page].Rows).Offset);
        }
    }

    /// <summary>Reads rows of a paged moment; between updates.</summary>
    /// <param name="moment">The first or second moment of a parameter.</param>
    /// <param name="firstRow">The first row.</param>
    /// <param name="values">Takes whole rows.</param>
    public void Read(Tensor moment, int firstRow, Span<float> values)
    {
        int rows = values.Length / moment.Columns;
        for (int row = 0; row < rows; row += PageRows(moment))
        {
            Tensor part = moment.Slice(firstRow + row, Math.Min(PageRows(moment), rows - row));
            Tensor buffer = Part(_buffers[0], part.Rows, part.Columns);
            _kernels.PageIn(part.Offset, buffer);
            _kernels.AwaitPage(buffer);
            _kernels.Read(buffer, values.Slice(row * moment.Columns, part.Rows * moment.Columns));
        }
    }

    /// <summary>Writes rows of a paged moment; between updates.</summary>
    /// <param name="moment">The first or second moment of a parameter.</param>
    /// <param name="firstRow">The first row.</param>
    /// <param name="values">Whole rows.</param>
    public void Write(Tensor moment, int firstRow, ReadOnlySpan<float> values)
    {
        int rows = values.Length / moment.Columns;
        for (int row = 0; row < rows; row += PageRows(moment))
        {
            Tensor part = moment.Slice(firstRow + row, Math.Min(PageRows(moment), rows - row));
            Tensor buffer = Part(_buffers[0], part.Rows, part.Columns);
            _kernels.AwaitPage(buffer);
            _kernels.Write(buffer, values.Slice(row * moment.Columns, part.Rows * moment.Columns));
            _kernels.PageOut(buffer, part.Offset);
        }
    }

    private static Tensor Part(Tensor buffer, int rows, int columns) => buffer with { Rows = rows, Columns = columns, Stride = columns };

    private (Tensor First, Tensor Second) Buffer(int page)
    {
        int pair = 2 * (page % 2);
        (int rows, int columns) = (_pages[page].Rows, _pages[page].Parameter.Value.Columns);
        return (Part(_buffers[pair], rows, columns), Part(_buffers[pair + 1], rows, columns));
    }

    private int PageRows(Tensor moment) => MomentPages.RowsOf(_pageElements, moment.Columns);

    private IEnumerable<MomentPage> PagesOf(Parameter parameter)
    {
        int rows = PageRows(parameter.Value);
        for (int first = 0; first < parameter.Value.Rows; first += rows)
        {
            yield return new MomentPage(parameter, first, Math.Min(rows, parameter.Value.Rows - first));
        }
    }
}
