using System.Reflection;
using ModelCompiler.Backends;

namespace ModelCompiler.Generators.Tests.Testing;

/// <summary>Source with the types of TorchSharp and of ModelCompiler.TorchSharp that generated code names.</summary>
internal static class TorchStubs
{
    public static readonly string Source = $$"""
        namespace TorchSharp
        {
            public static class torch
            {
                public class Device;
            }
        }

        namespace ModelCompiler.Torch
        {
            public abstract class CompiledModule<T>
                where T : Models.TransformerModel
            {
                protected CompiledModule(string name, T model, TorchBackend backend) => Model = model;

                public T Model { get; }

                protected abstract Tensors.Tensor ForwardHead(int firstRow);

                protected virtual Tensors.Tensor LogitsGradient(int firstRow) => default;

                protected virtual void BackwardHead(int firstRow)
                {
                }
            }

            public sealed class TorchBackend : Backends.IBackend
            {
                public TorchBackend(TorchSharp.torch.Device? device)
                {
                }

                public void Dispose()
                {
                }

                {{string.Join("\n        ", typeof(IBackend).GetMembers().Select(Unsupported))}}
            }
        }
        """;

    private static string Unsupported(MemberInfo member) => member switch
    {
        PropertyInfo property => $"{NameOf(property.PropertyType)} Backends.IBackend.{property.Name} => throw null!;",
        MethodInfo { IsSpecialName: false } method =>
            $"{NameOf(method.ReturnType)} Backends.IBackend.{method.Name}({string.Join(", ", method.GetParameters().Select(p => $"{(p.IsIn ? "in " : "")}{NameOf(p.ParameterType)} {p.Name}"))}) => throw null!;",
        _ => "",
    };

    private static string NameOf(Type type) =>
        type == typeof(void) ? "void"
        : type.IsByRef ? NameOf(type.GetElementType()!)
        : type.IsGenericType ? $"global::System.{type.Name[..^2]}<{NameOf(type.GenericTypeArguments[0])}>"
        : "global::" + type.FullName;
}
