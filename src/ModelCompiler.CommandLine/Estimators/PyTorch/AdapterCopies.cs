namespace ModelCompiler.CommandLine.Estimators.PyTorch;

/// <summary>Autocast's cache: the 16-bit copies of adapters, each made at its first use and kept until the cache is emptied.</summary>
internal sealed class AdapterCopies(DeviceMemory device)
{
    private readonly Dictionary<(int Layer, PyTorchLinear Projection, bool Output), Allocation> _copies = [];

    /// <summary>A use of an adapter's matrix.</summary>
    public void Use(int layer, PyTorchLinear projection, bool output, long elements)
    {
        if (!_copies.ContainsKey((layer, projection, output)))
        {
            _copies.Add((layer, projection, output), device.New(Term.AdapterCopies, 2 * elements));
        }
    }

    /// <summary>Drops the copies.</summary>
    /// <param name="except">The layer whose copies backward still reads; null: none.</param>
    public void Clear(int? except = null)
    {
        foreach (((int Layer, PyTorchLinear, bool) key, Allocation copy) in _copies.Where(c => c.Key.Layer != except).ToArray())
        {
            device.Drop(copy);
            _copies.Remove(key);
        }
    }
}
