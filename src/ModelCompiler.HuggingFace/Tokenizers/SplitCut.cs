namespace ModelCompiler.HuggingFace.Tokenizers;

/// <summary>Turns matches and the gaps between them, in order, into pieces, as the behavior of a step says.</summary>
/// <param name="step">The step.</param>
/// <param name="offset">Added to positions.</param>
/// <param name="pieces">Receives pieces that are not empty.</param>
internal ref struct SplitCut(SplitStep step, int offset, List<Range> pieces)
{
    private int _start;
    private int _end;
    private bool _open;
    private bool _previousIsMatch;

    /// <summary>Adds a match or a gap; it begins where the one before ended.</summary>
    public void Add(int start, int end, bool isMatch)
    {
        switch (step.Behavior)
        {
            case SplitBehavior.Isolated:
                Emit(start, end);
                break;
            case SplitBehavior.Removed:
                if (!isMatch)
                {
                    Emit(start, end);
                }

                break;
            case SplitBehavior.Contiguous:
                Continue(start, end, joins: isMatch == _previousIsMatch);
                break;
            case SplitBehavior.MergedWithPrevious:
                Continue(start, end, joins: isMatch && !_previousIsMatch);
                break;
            default:
                // A gap goes to the match before it; of several matches in a row, only the last takes it.
                Continue(start, end, joins: !isMatch && _previousIsMatch);
                break;
        }

        _previousIsMatch = isMatch;
    }

    /// <summary>Ends the text.</summary>
    public void End()
    {
        if (_open)
        {
            Emit(_start, _end);
        }
    }

    private void Continue(int start, int end, bool joins)
    {
        if (_open && joins)
        {
            _end = end;
            return;
        }

        End();
        (_start, _end, _open) = (start, end, true);
    }

    private readonly void Emit(int start, int end)
    {
        if (end > start)
        {
            pieces.Add((offset + start)..(offset + end));
        }
    }
}
