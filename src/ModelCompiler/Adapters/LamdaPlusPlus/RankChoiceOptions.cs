namespace ModelCompiler.Adapters;

/// <summary>How ranks are chosen from a base, beyond what the recipe says.</summary>
public sealed record RankChoiceOptions
{
    /// <summary>The uniform rank to share out instead of the declared ones.</summary>
    public int? Rank { get; init; }

    /// <summary>Folder of spectra found before; null: modelcompiler/spectra in the user's cache folder (XDG_CACHE_HOME, else ~/.cache; on Windows the local application data).</summary>
    public string? CacheFolder { get; init; }

    /// <summary>Told, in words, of cached files that are damaged or cannot be written. Neither stops the choice.</summary>
    public Action<string>? Note { get; init; }

    /// <summary>Told of every weight: how many are done, and its name.</summary>
    public Action<int, string>? Progress { get; init; }

    /// <summary>Stops before the next weight.</summary>
    public CancellationToken Cancellation { get; init; }
}
