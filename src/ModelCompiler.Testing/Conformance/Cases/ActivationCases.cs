using ModelCompiler.Backends;
using static ModelCompiler.Testing.Conformance.Operand;

namespace ModelCompiler.Testing.Conformance.Cases;

internal static class ActivationCases
{
    private static readonly string[] InPlaceOfGates =
        ["dGate=gate", "dGate=dh", "dUp=up", "dUp=dh", "dGate=gate,dUp=up", "dGate=dh,dUp=up", "dGate=gate,dUp=dh", "h=dh", "dGate=gate,dUp=up,h=dh"];

    /// <summary>Ordinary values and values where exp overflows or vanishes in float32.</summary>
    public static IEnumerable<OperationCase> All() => OperationCases.SizesAnd(scale: 60).SelectMany(s => (OperationCase[])
    [
        new(nameof(IBackend.SwiGlu), [Input("gate", s.Rows, s.Columns, s.Scale), Input("up", s.Rows, s.Columns), Output("h", s.Rows, s.Columns)],
            (b, t) => b.SwiGlu(t["gate"], t["up"], t["h"]))
        {
            InPlace = ["h=gate", "h=up"],
        },
        new(nameof(IBackend.GeGlu), [Input("gate", s.Rows, s.Columns, s.Scale), Input("up", s.Rows, s.Columns), Output("h", s.Rows, s.Columns)],
            (b, t) => b.GeGlu(t["gate"], t["up"], t["h"]))
        {
            InPlace = ["h=gate", "h=up"],
        },
        new(nameof(IBackend.SwiGluGradient), Gradient(s.Rows, s.Columns, s.Scale),
            (b, t) => b.SwiGluGradient(t["dh"], t["gate"], t["up"], t["dGate"], t["dUp"], t["h"]))
        {
            InPlace = InPlaceOfGates,
        },
        new(nameof(IBackend.GeGluGradient), Gradient(s.Rows, s.Columns, s.Scale),
            (b, t) => b.GeGluGradient(t["dh"], t["gate"], t["up"], t["dGate"], t["dUp"], t["h"]))
        {
            InPlace = InPlaceOfGates,
        },
        new(nameof(IBackend.Gelu), [Input("x", s.Rows, s.Columns, s.Scale), Output("y", s.Rows, s.Columns)], (b, t) => b.Gelu(t["x"], t["y"]))
        {
            InPlace = ["y=x"],
        },
        new(nameof(IBackend.GeluGradient),
            [Input("dy", s.Rows, s.Columns), Input("x", s.Rows, s.Columns, s.Scale), Output("dx", s.Rows, s.Columns)],
            (b, t) => b.GeluGradient(t["dy"], t["x"], t["dx"]))
        {
            InPlace = ["dx=dy", "dx=x"],
        },
        new(nameof(IBackend.SoftCap), [Input("x", s.Rows, s.Columns, 30 * s.Scale), Output("y", s.Rows, s.Columns)],
            (b, t) => b.SoftCap(t["x"], t["y"], 30))
        {
            InPlace = ["y=x"],
        },
        new(nameof(IBackend.SoftCapGradient),
            [Input("dy", s.Rows, s.Columns), Derived("y", s.Rows, s.Columns), Output("dx", s.Rows, s.Columns)],
            (b, t) => b.SoftCapGradient(t["dy"], t["y"], t["dx"], 30))
        {
            Prepare = (b, t) => b.SoftCap(t["dy"], t["y"], 30),
            InPlace = ["dx=dy", "dx=y"],
        },
    ]);

    private static Operand[] Gradient(int rows, int columns, double scale) =>
    [
        Input("dh", rows, columns), Input("gate", rows, columns, scale), Input("up", rows, columns), Output("dGate", rows, columns), Output("dUp", rows, columns),
        Output("h", rows, columns),
    ];
}
