namespace ModelCompiler.Compiler.Description;

/// <summary>
/// Which part of the description something comes from; the front end finds the source location by it. No location is held.
/// </summary>
/// <param name="Member">"" for the class itself, the block's class name, or the sublayer's property name.</param>
/// <param name="Attribute">The attribute's name without its suffix; "" for the member itself.</param>
/// <param name="Argument">The named argument; "" for the whole attribute.</param>
/// <param name="Index">Which of several attributes of that name, from 0.</param>
public sealed record Origin(string Member, string Attribute = "", string Argument = "", int Index = 0);

/// <summary>Something wrong with a description.</summary>
/// <param name="Id">MC0101 and so on: the descriptor it is reported under.</param>
/// <param name="Origin">Where it comes from.</param>
/// <param name="Arguments">The values for the descriptor's message.</param>
public sealed record Problem(string Id, Origin Origin, EquatableArray<string> Arguments);
