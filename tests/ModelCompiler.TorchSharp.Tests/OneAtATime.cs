// Torch's counters are of the whole process, and its threads would compete.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
