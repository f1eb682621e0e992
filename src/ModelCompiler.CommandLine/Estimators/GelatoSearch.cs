using ModelCompiler.CommandLine.Estimators.PyTorch;

namespace ModelCompiler.CommandLine.Estimators;

/// <summary>
/// GELATO's search of hyper-parameters that fill a device, as published: batch and accumulation at the smallest rank, then the largest rank, over
/// all projections and with a gate for each direction. Where the published code stops with an error because more than its preferred batch of 16
/// fits, the largest that fits is taken.
/// </summary>
public static class GelatoSearch
{
    /// <summary>Part of the free memory that the search may fill.</summary>
    private const double Usable = 1 - 0.025;

    private const int PreferredBatch = 16;
    private const int LargestBatch = 128;
    private const int LowestRank = 16;
    private const int HighestRank = 1024;

    /// <summary>Searches storage (16, 8, then 4 bits), batch, accumulation and rank.</summary>
    /// <param name="shape">The model.</param>
    /// <param name="sequence">Tokens of a sequence.</param>
    /// <param name="freeBytes">Free memory of the device, bytes; the search leaves 2.5 % of it.</param>
    /// <param name="bits">Bits instead of that order.</param>
    /// <returns>The choice, or null where nothing fits.</returns>
    /// <exception cref="ArgumentException">The formula does not know such a model.</exception>
    public static GelatoChoice? Find(LlamaShape shape, int sequence, long freeBytes, int? bits = null)
    {
        foreach (int? q in bits is null ? (ReadOnlySpan<int?>)[null, 8, 4] : [bits])
        {
            if (Fill(new GelatoJob(shape, PreferredBatch, sequence) { Bits = q }, Usable * freeBytes) is { } choice)
            {
                return choice;
            }
        }

        return null;
    }

    private static GelatoChoice? Fill(GelatoJob job, double budget)
    {
        long Trainable(int rank, int accumulate) => GelatoEstimate.Trainable(GelatoJob.AllLinear(job.Shape, rank, gated: true), accumulate);
        long fixedBytes = GelatoEstimate.Weights(job) + GelatoEstimate.Static(job.Sequence);
        long Batched(int batch) =>
            GelatoEstimate.Of(job with { Batch = batch, AdapterParameters = 0 }).Peak - fixedBytes;
        long smallest = fixedBytes + Trainable(LowestRank, 1);
        if (smallest > budget)
        {
            return null;
        }

        // Accumulation is chosen as if gradients did not multiply by it; the rank then pays.
        int accumulate = 1;
        int batch = PreferredBatch;
        if (smallest + Batched(PreferredBatch) > budget)
        {
            int[] divisors = [.. Enumerable.Range(1, PreferredBatch).Where(static g => PreferredBatch % g == 0)];
            accumulate = divisors.FirstOrDefault(g => smallest + Batched(PreferredBatch / g) < budget, 1);
            batch = accumulate == 1 ? 1 : PreferredBatch / accumulate;
        }
        else
        {
            while (batch < LargestBatch && smallest + Batched(batch + 1) <= budget)
            {
                batch++;
            }
        }

        long rest = fixedBytes + Batched(batch);
        int rank = LowestRank - 1;
        while (rank < HighestRank && rest + Trainable(rank + 1, accumulate) <= budget)
        {
            rank++;
        }

        return rank < LowestRank ? null : new GelatoChoice(batch, rank, accumulate, job.Bits);
    }
}

/// <summary>What GELATO's search chose.</summary>
/// <param name="Batch">Sequences in a micro-batch.</param>
/// <param name="Rank">Rank of the adapters.</param>
/// <param name="GradientAccumulation">Micro-batches in an optimizer step.</param>
/// <param name="Bits">Bits of a projection's weight; null: 16.</param>
public sealed record GelatoChoice(int Batch, int Rank, int GradientAccumulation, int? Bits);
