namespace ModelCompiler.Training;

/// <summary>How the learning rate falls after the warm-up.</summary>
public enum Schedule
{
    /// <summary>Half a cosine (Loshchilov and Hutter 2017, without restarts).</summary>
    Cosine,

    /// <summary>A straight line.</summary>
    Linear,

    /// <summary>Not at all.</summary>
    Constant,
}

/// <summary>
/// The learning rate of step n = 1, 2, ...: peak · n / warmup up to n = warmup; then with p = (n − warmup) / (steps + 1 − warmup)
/// minimum + (peak − minimum) · (1 + cos πp) / 2, or · (1 − p). The minimum would be reached one step after the last, so no step is idle.
/// </summary>
/// <param name="Kind">How it falls.</param>
/// <param name="Peak">The highest rate.</param>
/// <param name="Steps">Steps of the run.</param>
/// <param name="Warmup">Steps of the rise.</param>
/// <param name="Minimum">Where the fall ends.</param>
public readonly record struct LearningRateSchedule(Schedule Kind, double Peak, int Steps, int Warmup = 0, double Minimum = 0)
{
    /// <summary>The rate of a step.</summary>
    /// <param name="step">The step, from 1.</param>
    public double At(int step)
    {
        if (step <= Warmup)
        {
            return Peak * step / Warmup;
        }

        double progress = Math.Min(1, (step - Warmup) / (Steps + 1.0 - Warmup));
        return Kind switch
        {
            Schedule.Cosine => Minimum + (Peak - Minimum) * (1 + Math.Cos(Math.PI * progress)) / 2,
            Schedule.Linear => Minimum + (Peak - Minimum) * (1 - progress),
            _ => Peak,
        };
    }
}
