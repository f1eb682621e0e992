using Mono.Cecil;
using Mono.Cecil.Cil;

namespace ModelCompiler.Architecture.Tests;

/// <summary>The rooms of one assembly, which are its namespaces, and who uses whom: in signatures, attributes and method bodies.</summary>
internal sealed class Rooms
{
    private readonly string _root;
    private readonly SortedDictionary<(string User, string Used), SortedSet<string>> _uses = [];

    private Rooms(AssemblyDefinition assembly, string root)
    {
        _root = root;
        References = [.. assembly.MainModule.AssemblyReferences.Select(reference => reference.Name)];
        foreach (var type in assembly.MainModule.GetTypes().Where(IsOwn))
        {
            new Visitor(type, used => Add(type, used)).Visit();
        }
    }

    /// <summary>The assemblies that this one uses.</summary>
    public IReadOnlyList<string> References { get; }

    /// <summary>The rooms that another room uses or that use another.</summary>
    public IReadOnlyCollection<string> Names => [.. _uses.Keys.SelectMany(use => new[] { use.User, use.Used }).Distinct().Order()];

    /// <summary>The rooms that a room uses.</summary>
    public IEnumerable<string> Uses(string room) => _uses.Keys.Where(use => use.User == room).Select(use => use.Used);

    /// <summary>Reads an assembly of the product from the tests' own folder.</summary>
    public static Rooms Of(string assembly, string? root = null)
    {
        using var read = AssemblyDefinition.ReadAssembly(Path.Combine(AppContext.BaseDirectory, assembly + ".dll"));
        return new Rooms(read, root ?? assembly);
    }

    /// <summary>Every use of a later room by an earlier one; a room that the order lacks is a fault too.</summary>
    public IEnumerable<string> Against(params string[] order) =>
        [.. Names.Except(order).Select(static name => $"{name} has no place in the order"), .. Within(order)];

    /// <summary>Every use by these rooms of one that is not before it in their order, be it later or another.</summary>
    public IEnumerable<string> Within(params string[] order)
    {
        foreach (var ((user, used), types) in _uses)
        {
            int place = Array.IndexOf(order, user);
            if (place >= 0 && Array.IndexOf(order, used, 0, place) < 0)
            {
                yield return $"{user} uses {used}: {string.Join(", ", types)}";
            }
        }
    }

    /// <summary>Every circle, with the uses that close it: a largest set of rooms of which each reaches each other.</summary>
    public IEnumerable<string> Circles()
    {
        var reached = Names.ToDictionary(name => name, Reached);
        var circles = Names
            .Where(name => reached[name].Contains(name))
            .GroupBy(name => string.Join(", ", reached[name].Where(other => reached[other].Contains(name)).Order(StringComparer.Ordinal)));
        foreach (var circle in circles)
        {
            var uses = _uses.Where(use => circle.Contains(use.Key.User) && circle.Contains(use.Key.Used));
            yield return $"{circle.Key} are in a circle: "
                + string.Join("; ", uses.Select(use => $"{use.Key.User} uses {use.Key.Used} ({string.Join(", ", use.Value)})"));
        }
    }

    private HashSet<string> Reached(string from)
    {
        var reached = new HashSet<string>();
        var open = new Stack<string>([from]);
        while (open.TryPop(out var room))
        {
            foreach (var used in _uses.Keys.Where(use => use.User == room).Select(use => use.Used).Where(reached.Add))
            {
                open.Push(used);
            }
        }

        return reached;
    }

    private void Add(TypeDefinition user, TypeReference used)
    {
        var element = used.GetElementType();
        if (element.IsGenericParameter || element is not TypeDefinition { } definition || !IsOwn(definition))
        {
            return;
        }

        var (from, to) = (RoomOf(user), RoomOf(definition));
        if (from != to)
        {
            if (!_uses.TryGetValue((from, to), out var types))
            {
                _uses.Add((from, to), types = []);
            }

            types.Add($"{Outermost(user).Name} -> {Outermost(definition).Name}");
        }
    }

    private bool IsOwn(TypeDefinition type)
    {
        var space = Outermost(type).Namespace;
        return space == _root || space.StartsWith(_root + ".", StringComparison.Ordinal);
    }

    private string RoomOf(TypeDefinition type)
    {
        // The attributes that users write are in the root namespace beside the enumerations that everything uses, but have a folder of their own.
        var space = Outermost(type).Namespace;
        return space == _root ? (Outermost(type).Name.EndsWith("Attribute", StringComparison.Ordinal) ? "Attributes" : "(root)") : space[(_root.Length + 1)..].Split('.')[0];
    }

    private static TypeDefinition Outermost(TypeDefinition type) => type.DeclaringType is { } outer ? Outermost(outer) : type;

    /// <summary>Every type that a type mentions.</summary>
    private sealed class Visitor(TypeDefinition type, Action<TypeReference> found)
    {
        public void Visit()
        {
            Found(type.BaseType);
            Attributes(type);
            Constraints(type.GenericParameters);
            foreach (var implemented in type.Interfaces)
            {
                Found(implemented.InterfaceType);
            }

            foreach (var field in type.Fields)
            {
                Found(field.FieldType);
                Attributes(field);
            }

            foreach (var property in type.Properties)
            {
                Attributes(property);
            }

            foreach (var method in type.Methods)
            {
                Signature(method);
                Attributes(method);
                Constraints(method.GenericParameters);
                if (method.HasBody)
                {
                    Body(method.Body);
                }
            }
        }

        private void Body(MethodBody body)
        {
            foreach (var variable in body.Variables)
            {
                Found(variable.VariableType);
            }

            foreach (var handler in body.ExceptionHandlers)
            {
                Found(handler.CatchType);
            }

            foreach (var operand in body.Instructions.Select(instruction => instruction.Operand))
            {
                switch (operand)
                {
                    case TypeReference used:
                        Found(used);
                        break;
                    case FieldReference field:
                        Found(field.DeclaringType);
                        Found(field.FieldType);
                        break;
                    case MethodReference method:
                        Found(method.DeclaringType);
                        Signature(method);
                        break;
                }
            }
        }

        private void Signature(MethodReference method)
        {
            Found(method.ReturnType);
            foreach (var parameter in method.Parameters)
            {
                Found(parameter.ParameterType);
            }

            if (method is GenericInstanceMethod instance)
            {
                foreach (var argument in instance.GenericArguments)
                {
                    Found(argument);
                }
            }
        }

        private void Constraints(IEnumerable<GenericParameter> parameters)
        {
            foreach (var constraint in parameters.SelectMany(parameter => parameter.Constraints))
            {
                Found(constraint.ConstraintType);
            }
        }

        private void Attributes(ICustomAttributeProvider provider)
        {
            foreach (var attribute in provider.CustomAttributes)
            {
                Found(attribute.AttributeType);
                foreach (var argument in attribute.ConstructorArguments)
                {
                    Found(argument.Value as TypeReference);
                }
            }
        }

        private void Found(TypeReference? used)
        {
            switch (used)
            {
                case null:
                    break;
                case IModifierType modified:
                    Found(modified.ModifierType);
                    Found(modified.ElementType);
                    break;
                case GenericInstanceType generic:
                    found(generic.ElementType);
                    foreach (var argument in generic.GenericArguments)
                    {
                        Found(argument);
                    }

                    break;
                case FunctionPointerType pointer:
                    Signature(new MethodReference("", pointer.ReturnType));
                    foreach (var parameter in pointer.Parameters)
                    {
                        Found(parameter.ParameterType);
                    }

                    break;
                case TypeSpecification specification:
                    Found(specification.ElementType);
                    break;
                default:
                    found(used);
                    break;
            }
        }
    }
}
