using System.Globalization;
using System.Reflection;
using ModelCompiler.Compiler.Graph;
using ModelCompiler.Compiler.Operations;
using ModelCompiler.Operations;
using ModelCompiler.Planning;

namespace ModelCompiler.Compiler.Writing;

/// <summary>
/// The constants of a class that its calls name: each shape of an operation once, "s_rotary", and a second one that differs "s_rotary2".
/// They print from their own records, so that a new argument needs no line here.
/// </summary>
public sealed class ShapeConstants
{
    /// <summary>What the names of all constants begin with.</summary>
    public static readonly string[] Prefixes = [Prefix(typeof(AttentionShape)), Prefix(typeof(NormShape)), Prefix(typeof(RotaryShape))];

    private readonly List<(object Shape, string Name)> _constants = [];

    /// <summary>Names the shapes that the calls of some operations have.</summary>
    public ShapeConstants(IEnumerable<Op> ops)
    {
        foreach (Op op in ops)
        {
            op.Operation.Arguments(op, new CallWriter(static _ => "", static _ => "", Add));
        }
    }

    /// <summary>Name of a shape's constant.</summary>
    public string NameOf(object shape) => _constants.First(c => c.Shape.Equals(shape)).Name;

    /// <summary>The declarations, one a line.</summary>
    public IEnumerable<string> Declarations => _constants.Select(static c => $"private static readonly §{c.Shape.GetType().Name} {c.Name} = new({Arguments(c.Shape)});");

    private string Add(object shape)
    {
        if (!_constants.Exists(c => c.Shape.Equals(shape)))
        {
            int earlier = _constants.Count(c => c.Shape.GetType() == shape.GetType());
            _constants.Add((shape, Prefix(shape.GetType()) + (earlier == 0 ? "" : (earlier + 1).ToString(CultureInfo.InvariantCulture))));
        }

        return "";
    }

    private static string Prefix(Type shape) => "s_" + shape.Name.Substring(0, shape.Name.Length - "Shape".Length).ToLowerInvariant();

    /// <summary>The arguments of a record's constructor that are not as defaulted, by name.</summary>
    private static string Arguments(object shape)
    {
        IEnumerable<string> given =
            from parameter in shape.GetType().GetConstructors().Single(static c => c.GetParameters().Length > 0).GetParameters()
            let value = shape.GetType().GetProperty(parameter.Name!)!.GetValue(shape)
            where !(parameter.HasDefaultValue && value.Equals(DefaultOf(parameter)))
            select $"{parameter.Name}: {Text(value)}";
        return string.Join(", ", given);
    }

    private static object DefaultOf(System.Reflection.ParameterInfo parameter) => parameter.DefaultValue ?? Activator.CreateInstance(parameter.ParameterType)!;

    private static string Text(object value) => value switch
    {
        float number => number.ToString("R", CultureInfo.InvariantCulture) + "f",
        bool flag => flag ? "true" : "false",
        FrequencyScaling { Kind: RotaryScaling.Linear } scaling => $"§{nameof(FrequencyScaling)}.{nameof(FrequencyScaling.Linear)}(factor: {Text(scaling.Factor)})",
        FrequencyScaling scaling => $"§{nameof(FrequencyScaling)}.{nameof(FrequencyScaling.Llama3)}(factor: {Text(scaling.Factor)}, lowFrequencyFactor: {Text(scaling.LowFrequencyFactor)}, "
            + $"highFrequencyFactor: {Text(scaling.HighFrequencyFactor)}, originalContext: {Text(scaling.OriginalContext)})",
        Enum member => $"global::{member.GetType().FullName}.{member}",
        IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
        _ => throw new NotSupportedException($"a constant of type {value.GetType().Name}"),
    };
}
