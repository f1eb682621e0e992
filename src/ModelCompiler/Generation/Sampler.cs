using ModelCompiler.Numerics;

namespace ModelCompiler.Generation;

/// <summary>Chooses a token from logits: the most likely one, or a draw with temperature and top-p. Ties go to the lower id.</summary>
internal sealed class Sampler
{
    private readonly GenerationOptions _options;
    private readonly double[] _weights;
    private readonly int[] _ids;
    private SplitMix _random;

    public Sampler(GenerationOptions options, int vocabulary)
    {
        _options = options;
        _weights = new double[vocabulary];
        _ids = new int[vocabulary];
        _random = new SplitMix(options.Seed, "sampler");
    }

    /// <exception cref="GenerationException">A logit is not a number, or all are minus infinity.</exception>
    public int Choose(ReadOnlySpan<float> logits)
    {
        int best = 0;
        for (int i = 0; i < logits.Length; i++)
        {
            if (float.IsNaN(logits[i]))
            {
                throw new GenerationException("the model's output is not a number; its weights or adapters are damaged");
            }

            best = logits[i] > logits[best] ? i : best;
        }

        if (!float.IsFinite(logits[best]))
        {
            throw new GenerationException("the model's output is infinite; its weights or adapters are damaged");
        }

        return _options.Temperature == 0 ? best : Draw(logits, logits[best]);
    }

    private int Draw(ReadOnlySpan<float> logits, float largest)
    {
        double total = 0;
        for (int i = 0; i < logits.Length; i++)
        {
            // Negative, so that an ascending sort puts the likely first.
            _weights[i] = -Math.Exp((logits[i] - largest) / _options.Temperature);
            _ids[i] = i;
            total -= _weights[i];
        }

        int count = logits.Length;
        if (_options.TopP < 1)
        {
            Array.Sort(_weights, _ids);
            double wanted = _options.TopP * total;
            total = 0;
            count = 0;
            while (count < logits.Length && (count == 0 || total < wanted))
            {
                total -= _weights[count++];
            }
        }

        double point = _random.Uniform() * total;
        int chosen = 0;
        for (double sum = -_weights[0]; chosen < count - 1 && sum <= point; sum -= _weights[chosen])
        {
            chosen++;
        }

        return _ids[chosen];
    }
}
