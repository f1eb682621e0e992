using Microsoft.CodeAnalysis;

namespace ModelCompiler.Generators.Parsing;

/// <summary>The named arguments of an attribute, with the attribute class's defaults where one is not given.</summary>
internal readonly struct AttributeArguments(AttributeData? attribute)
{
    public T Get<T>(string name, T defaultValue)
        where T : struct
    {
        if (attribute is not null)
        {
            foreach (KeyValuePair<string, TypedConstant> argument in attribute.NamedArguments)
            {
                // The value is not of that type only where the C# compiler already reports an error.
                if (argument.Key == name && argument.Value is { Kind: TypedConstantKind.Primitive or TypedConstantKind.Enum, Value: T value })
                {
                    return value;
                }
            }
        }

        return defaultValue;
    }

    /// <summary>A named text; empty where it is missing or in error.</summary>
    public string Text(string name) => attribute?.NamedArguments.FirstOrDefault(argument => argument.Key == name).Value is { Kind: TypedConstantKind.Primitive, Value: string text } ? text : "";

    /// <summary>The first constructor argument; null where it is missing or in error.</summary>
    public object? Positional =>
        attribute?.ConstructorArguments.FirstOrDefault() is { Kind: TypedConstantKind.Primitive or TypedConstantKind.Enum } first ? first.Value : null;
}
