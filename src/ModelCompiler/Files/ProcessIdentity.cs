using System.ComponentModel;
using System.Diagnostics;

namespace ModelCompiler.Files;

/// <summary>Tells whether a process of an earlier moment still runs: the system gives its number to others when it is gone.</summary>
internal static class ProcessIdentity
{
    /// <summary>Start times are computed from the time of boot and ticks, and differ a little between readings.</summary>
    private static readonly TimeSpan s_tolerance = TimeSpan.FromSeconds(2);

    /// <summary>The start of this process.</summary>
    public static DateTime OwnStart { get; } = StartOf(Environment.ProcessId) ?? DateTime.UtcNow;

    /// <summary>Whether the process of this number is the one that had started at this time.</summary>
    public static bool Runs(int process, DateTime start) => StartOf(process) is { } found && (found - start).Duration() <= s_tolerance;

    /// <summary>Whether the process of this number runs and ran already at this time.</summary>
    public static bool MayHaveWritten(int process, DateTime time) => StartOf(process) is { } found && found <= time + s_tolerance;

    /// <summary>The start of a running process; null where there is none. Of one that may not be asked it is the beginning of time.</summary>
    private static DateTime? StartOf(int process)
    {
        try
        {
            using var found = Process.GetProcessById(process);
            return found.StartTime.ToUniversalTime();
        }
        catch (Exception error) when (error is ArgumentException or InvalidOperationException)
        {
            return null;
        }
        catch (Exception error) when (error is Win32Exception or NotSupportedException)
        {
            return DateTime.MinValue;
        }
    }
}
