using ModelCompiler.Training;

namespace ModelCompiler.Tests.Training;

public class LearningRateScheduleTests
{
    [Fact]
    public void The_rise_is_linear_and_its_last_step_has_the_peak()
    {
        var rates = new LearningRateSchedule(Schedule.Cosine, 4e-3, Steps: 10, Warmup: 4);
        Assert.Equal([1e-3, 2e-3, 3e-3, 4e-3], Enumerable.Range(1, 4).Select(n => Math.Round(rates.At(n), 15)));
    }

    [Fact]
    public void The_cosine_is_half_way_in_the_middle_and_would_reach_the_minimum_after_the_last_step()
    {
        var rates = new LearningRateSchedule(Schedule.Cosine, 1, Steps: 9, Minimum: 0.2);
        Assert.Equal(0.6, rates.At(5), 1e-12);
        Assert.Equal(0.2, rates.At(10), 1e-12);
        Assert.Equal(0.2, rates.At(99), 1e-12);
        Assert.True(rates.At(9) > 0.2);
    }

    [Fact]
    public void The_line_falls_by_the_same_amount_every_step()
    {
        var rates = new LearningRateSchedule(Schedule.Linear, 1, Steps: 3);
        Assert.Equal([0.75, 0.5, 0.25], [rates.At(1), rates.At(2), rates.At(3)]);
    }

    [Fact]
    public void A_constant_rate_stays_at_the_peak_after_the_rise()
    {
        var rates = new LearningRateSchedule(Schedule.Constant, 1, Steps: 5, Warmup: 2);
        Assert.Equal([0.5, 1, 1, 1, 1], Enumerable.Range(1, 5).Select(rates.At));
    }
}
