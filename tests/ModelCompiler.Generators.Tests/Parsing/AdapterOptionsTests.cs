using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using Microsoft.CodeAnalysis.CSharp;
using ModelCompiler.Adapters;
using ModelCompiler.Compiler.Adapters;
using ModelCompiler.Compiler.Description;
using ModelCompiler.Generators.Parsing;
using ModelCompiler.Generators.Tests.Testing;

namespace ModelCompiler.Generators.Tests.Parsing;

/// <summary>An adapter's options against its attribute and the parser: one set of arguments, with one set of defaults.</summary>
public class AdapterOptionsTests
{
    private static readonly Assembly s_abstractions = typeof(AdapterOptions).Assembly;

    public static TheoryData<string> Methods => [.. AdapterExpansion.All.Select(method => method.Attribute)];

    [Fact]
    public void Each_attribute_has_options_and_an_expansion()
    {
        string[] attributes = [.. Of<AdapterAttribute>().Select(type => type.Name[..^"Attribute".Length]).Order(StringComparer.Ordinal)];
        string[] options = [.. Of<AdapterOptions>().Select(AdapterOptions.NameOf).Order(StringComparer.Ordinal)];
        Assert.True(attributes.Length > 7);
        Assert.Equal(attributes, options);
        Assert.Equal(attributes, AdapterExpansion.All.Select(method => method.Attribute));

        static IEnumerable<Type> Of<T>() => s_abstractions.GetTypes().Where(type => !type.IsAbstract && type.IsAssignableTo(typeof(T)));
    }

    [Theory]
    [MemberData(nameof(Methods))]
    public void The_attribute_the_options_and_the_parser_have_the_same_defaults(string method)
    {
        AdapterOptions defaults = AdapterExpansion.Find(method)!.Defaults;
        object attribute = Activator.CreateInstance(s_abstractions.GetType($"ModelCompiler.{method}Attribute")!)!;
        IEnumerable<AdapterArgument> given = attribute.GetType().GetProperties()
            .Where(property => property.CanWrite && property.DeclaringType != typeof(AdapterAttribute))
            .Select(property => new AdapterArgument(property.Name, property.GetValue(attribute)!));
        Assert.Equal(defaults.Arguments.OrderBy(argument => argument.Name), given.OrderBy(argument => argument.Name));
        Assert.Empty(defaults.Changed);
        Assert.Equal(defaults, Parse(method, ""));
    }

    /// <summary>Every argument alone, with another value than its default: it is written, read and found again.</summary>
    [Theory]
    [MemberData(nameof(Methods))]
    public void What_an_attribute_gives_is_what_the_options_hold(string method)
    {
        AdapterOptions defaults = AdapterExpansion.Find(method)!.Defaults;
        foreach (AdapterArgument argument in defaults.Arguments)
        {
            AdapterArgument other = argument with { Value = Other(argument.Value) };
            AdapterOptions read = Parse(method, $"{other.Name} = {other.Literal}");
            Assert.Equal([other], read.Changed);
            Assert.NotEqual(defaults, read);
        }
    }

    /// <summary>Trimming keeps the properties that options are listed by only where this annotation is in the assembly.</summary>
    [Fact]
    public void Trimming_keeps_the_arguments() => Assert.Contains(
        typeof(AdapterOptions).CustomAttributes, attribute => attribute.AttributeType.FullName == typeof(DynamicallyAccessedMembersAttribute).FullName);

    private static object Other(object value) => value switch
    {
        bool truth => !truth,
        int number => number + 3,
        float number => number + 0.1f,
        double number => number + 1e-7 / 3,
        Enum member => Enum.GetValues(member.GetType()).Cast<object>().First(m => !m.Equals(member)),
        _ => throw new NotSupportedException($"an argument that is a {value.GetType()}"),
    };

    private static AdapterOptions Parse(string method, string arguments)
    {
        string recipe = $"[FineTune<Tiny>, {method}({arguments})] public partial class R;";
        CSharpCompilation compilation = Compilations.Create(Sources.Tiny, recipe);
        AdapterSpec adapter = Assert.Single(DescriptionParser.Parse(compilation.GetTypeByMetadataName("R")!).Spec!.Recipe!.Adapters);
        return AdapterExpansion.Find(adapter.Method)!.Read(adapter);
    }
}
