using System.Globalization;
using System.Text;

namespace ModelCompiler.Generators.Tests.Properties;

/// <summary>
/// A random project of a few descriptions: names of every kind, numbers from the lowest to the largest, declarations of every form, in several
/// files. The same seed gives the same project for ever.
/// </summary>
internal sealed class TypedProject
{
    private static readonly Type[] s_attributes = [.. typeof(ModelCompiler.TransformerAttribute).Assembly.GetExportedTypes()
        .Where(type => type.IsSubclassOf(typeof(Attribute)) && !type.IsAbstract).OrderBy(type => type.Name, StringComparer.Ordinal)];

    private static readonly string[] s_adapters = [.. s_attributes.Where(type => type.BaseType!.Name == "AdapterAttribute").Select(NameOf)];

    private readonly Random _random;
    private readonly StringBuilder[] _files;
    private readonly List<string> _architectures = [];

    public TypedProject(int seed)
    {
        _random = new Random(seed);
        _files = [.. Enumerable.Range(0, 1 + _random.Next(3)).Select(_ => new StringBuilder("using L = ModelCompiler.LoraAttribute;\n" + (Chance(8) ? "#nullable disable\n" : "")))];
        Descriptions = 2 + _random.Next(3);
        for (int i = 0; i < Descriptions; i++)
        {
            Describe(i);
        }

        if (Chance(4))
        {
            File().Append(CultureInfo.InvariantCulture, $"public class {Name("Other")} {{ public int Number => 1; }}\n");
        }
    }

    /// <summary>How many there are.</summary>
    public int Descriptions { get; }

    public string[] Sources => [.. _files.Select(file => file.ToString()), TypedNames.Constants, .. Chance(3) ? [Testing.TorchStubs.Source] : Array.Empty<string>()];

    private void Describe(int i)
    {
        bool recipe = i > 0 && Chance(2);
        string name = Name((recipe ? "Recipe" : "Arch") + i);
        string space = Chance(4) ? "" : Chance(2) ? $"N{i}" : $"N{i}.{Name("Inner")}";
        string text = recipe ? Recipe(name) : Architecture(name);
        string container = Chance(25) ? Pick("public partial class Outer", "public class Outer", "public partial struct Outer", "public partial interface Outer", "public partial record Outer") + i
            + Pick("", "<T>", "<T, @class>") : "";
        if (container.Length > 0)
        {
            text = $"{container} {{ {text} }}\n";
        }
        else if (!recipe)
        {
            _architectures.Add(space.Length == 0 ? "global::" + name : $"global::{space}.{name}");
        }

        File().Append(space.Length == 0 ? text : $"namespace {space}\n{{\n{text}}}\n");
        if (!recipe && container.Length == 0 && Chance(5))
        {
            string more = $"partial class {name} {{ {Member()} }}\n";
            File().Append(space.Length == 0 ? more : $"namespace {space}\n{{\n{more}}}\n");
        }
    }

    private string Architecture(string name)
    {
        string parts = Attribute("Transformer", "Vocabulary = 16", "Width = 8", "Context = 16")
            + (Chance(20) ? "" : Attribute("TokenEmbedding"))
            + (Chance(5) ? Attribute("LearnedPositions") : "") + (Chance(5) ? Attribute("Head") : "") + (Chance(5) ? Attribute(Pick("RmsNorm", "LayerNorm")) : "");
        var block = new StringBuilder();
        int sublayers = Chance(30) ? 0 : 1 + _random.Next(3);
        for (int i = 0; i < sublayers; i++)
        {
            block.Append(Sublayer(i));
        }

        if (Chance(10))
        {
            block.Append(Member());
        }

        string body = $"{Attribute("Block", "Repeat = 2")} {Class(Name("Layer"))} {{ {block} }} {(Chance(6) ? Member() : "")}";
        return $"{parts}\n{Class(name)}\n{{\n{body}\n}}\n";
    }

    private string Sublayer(int i)
    {
        string kind = Pick("Attention", "SwiGlu", "GeGlu", "Gelu");
        string attributes = (Chance(3) ? "" : Attribute(Pick("RmsNorm", "LayerNorm")))
            + (kind == "Attention" ? Attribute(kind, "Heads = 2") + (Chance(2) ? Attribute("Rotary") : "") + (Chance(3) ? Attribute("QueryKeyNorm") : "") : Attribute(kind, "Hidden = 5"))
            + (Chance(4) ? Attribute("LayerScale") : "") + (Chance(30) ? Attribute(Pick("Gelu", "Rotary")) : "");
        string type = Name("Type" + i) + (Chance(30) ? Pick("?", "[]", ".Inner", "<int>") : "");
        string modifiers = Chance(30) ? Pick("internal partial", "public", "public static partial", "public virtual partial", "partial", "public unsafe partial", "private partial", "public required partial") : "public partial";
        string accessors = Chance(20) ? Pick("{ get; set; }", "{ get; init; }", "=> null!;", "{ get { return null!; } }") : "{ get; }";
        return $"{attributes} {modifiers} {type} {Name("Sublayer" + i)} {accessors}\n";
    }

    private string Recipe(string name)
    {
        string adapters = Chance(20) ? "" : Adapter() + (Chance(6) ? Adapter() : "");
        string frozen = Chance(3) ? $"[Frozen({Pick("Storage.NF4", "Storage.Int8", "Storage.Int4", "Storage.BFloat16", "Storage.Float32", "(Storage)9")}{Arguments("Frozen", [], ", ")})]" : "";
        string budget = Chance(4) ? $"[MemoryBudget({Pick("\"1 GiB\"", "\"1 KiB\"", "\"lots\"", "\"\"", "null!", "\"8 EiB\"")}{Arguments("MemoryBudget", [], ", ")})]" : "";
        string of = Chance(30) || _architectures.Count == 0 ? Pick("string", "int[]", "Constants2", "System.Collections.Generic.List<int>") : _architectures[_random.Next(_architectures.Count)];
        return $"[FineTune<{of}>] {adapters} {frozen} {budget}\n{Class(name)} {{ {(Chance(5) ? Member() : "")} }}\n";
    }

    private string Adapter()
    {
        string method = Pick(s_adapters);
        string first = Chance(5) ? $"[{(method == "Lora" ? "L" : method)}" : $"[{method}";
        return $"{first}({Arguments(method, [$"Rank = {1 + _random.Next(3)}", .. method == "QaLora" ? ["GroupSize = 1"] : Array.Empty<string>(), Chance(2) ? "Targets = Projections.All" : "Targets = Projections.Attention"], "")})] ";
    }

    private string Class(string name)
    {
        string form = Chance(30)
            ? Pick("public class {0}", "internal partial class {0}", "public sealed partial class {0}", "public static partial class {0}", "public abstract partial class {0}", "file partial class {0}",
                "public partial record {0}", "public partial struct {0}", "public partial record struct {0}", "public partial interface {0}", "public partial class {0}<T>", "public partial class {0}<@event>",
                "public partial class {0}(int x)", "public partial class {0} : System.IO.MemoryStream", "public partial class {0} : System.ICloneable, System.IDisposable", "unsafe partial class {0}", "partial class {0}")
            : "public partial class {0}";
        return string.Format(CultureInfo.InvariantCulture, form, name);
    }

    private string Member() => string.Format(
        CultureInfo.InvariantCulture,
        Pick("public int {0} => 1; ", "public void {0}() {{ }} ", "public static int {0}(long a, int b = 1) => 1; ", "public class {0}; ", "private int {0}; ", "public enum {0} {{ A }} ", "public event System.Action {0} {{ add {{ }} remove {{ }} }} "),
        Name("Member"));

    /// <summary>An attribute with the arguments that it needs and some of its others, a few of them as wrong as can be.</summary>
    private string Attribute(string name, params string[] needed)
    {
        string arguments = Arguments(name, needed, "");
        return arguments.Length == 0 ? $"[{name}] " : $"[{name}({arguments})] ";
    }

    private string Arguments(string name, string[] needed, string before)
    {
        var properties = s_attributes.Single(type => NameOf(type) == name).GetProperties().Where(property => property.SetMethod is not null).ToArray();
        var arguments = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (string argument in needed)
        {
            string property = argument.Split(' ')[0];
            if (!Chance(200))
            {
                arguments[property] = Chance(80) ? $"{property} = {Value(properties.Single(p => p.Name == property).PropertyType)}" : argument;
            }
        }

        foreach (var property in properties.Where(p => !arguments.ContainsKey(p.Name)))
        {
            if (Chance(property.PropertyType == typeof(bool) ? 4 : 200))
            {
                arguments[property.Name] = $"{property.Name} = {Value(property.PropertyType)}";
            }
        }

        return arguments.Count == 0 ? "" : before + string.Join(", ", arguments.Values);
    }

    private string Value(Type type) => type == typeof(int) ? Pick(TypedNames.Integers)
        : type == typeof(bool) ? Pick("true", "false")
        : type.IsEnum ? $"({type.Name})({Pick("0", "1", "2", "3", "-1", "77", "int.MaxValue")})"
        : Pick(TypedNames.Fractions);

    private string Name(string plain) => !Chance(6) ? plain : Pick(TypedNames.All);

    private StringBuilder File() => _files[_random.Next(_files.Length)];

    private bool Chance(int oneIn) => _random.Next(oneIn) == 0;

    private string Pick(params string[] choices) => choices[_random.Next(choices.Length)];

    private static string NameOf(Type attribute) => attribute.Name.Split('`')[0][..^"Attribute".Length];
}
