using System.Text.Json;

namespace ModelCompiler.Reading;

/// <summary>
/// A value of a user's JSON, read as the type that is needed. Another type, a number that does not fit or a missing key is the reader's own
/// exception with the file and the path of keys. A key whose value is null counts as absent.
/// </summary>
internal sealed class JsonValue
{
    private const int LongestShown = 60;

    private readonly JsonElement _element;
    private readonly JsonValue? _parent;
    private readonly string? _key;
    private readonly int _index;
    private readonly ReadFailure _failure;

    /// <param name="root">A whole text's value, its keys and texts checked as <see cref="JsonText"/> does.</param>
    /// <param name="source">The file and, where it holds several texts, the place of this one.</param>
    /// <param name="failure">Makes the reader's exception.</param>
    public JsonValue(JsonElement root, string source, ReadFailure failure) => (_element, Source, _failure) = (root, source, failure);

    private JsonValue(JsonElement element, JsonValue parent, string? key, int index = 0) =>
        (_element, _parent, _key, _index, Source, _failure) = (element, parent, key, index, parent.Source, parent._failure);

    /// <summary>The file and, where it holds several texts, the place of this one.</summary>
    public string Source { get; }

    /// <summary>The value without its place.</summary>
    public JsonElement Element => _element;

    public JsonValueKind Kind => _element.ValueKind;

    public bool IsObject => Kind == JsonValueKind.Object;

    public bool IsList => Kind == JsonValueKind.Array;

    public bool IsText => Kind == JsonValueKind.String;

    public bool IsNumber => Kind == JsonValueKind.Number;

    /// <summary>The value as it stands in the text.</summary>
    public string RawText => _element.GetRawText();

    /// <summary>Keys of an object in their order, those with null too.</summary>
    public IEnumerable<string> Keys => RequireObject()._element.EnumerateObject().Select(p => p.Name);

    /// <summary>Keys and values of an object in their order.</summary>
    public IEnumerable<KeyValuePair<string, JsonValue>> Members() =>
        RequireObject()._element.EnumerateObject().Select(p => KeyValuePair.Create(p.Name, new JsonValue(p.Value, this, p.Name)));

    /// <summary>Values of a list.</summary>
    public IEnumerable<JsonValue> Items() => RequireList()._element.EnumerateArray().Select((item, index) => new JsonValue(item, this, null, index));

    /// <summary>How many values a list has.</summary>
    public int Count => RequireList()._element.GetArrayLength();

    /// <summary>The same value as one that stands by itself at a place of the file, such as a row.</summary>
    public JsonValue At(string source) => new(_element, source, _failure);

    /// <summary>The value of a key; null where it is absent or null, or where this is no object.</summary>
    public JsonValue? Value(string key) =>
        IsObject && _element.TryGetProperty(key, out JsonElement value) && value.ValueKind != JsonValueKind.Null ? new JsonValue(value, this, key) : null;

    /// <summary>The value of a key that must be there.</summary>
    public JsonValue Required(string key, string expected = "given") => RequireObject().Value(key) ?? throw Wrong(key, expected);

    /// <summary>The text of a key; null where it is absent.</summary>
    public string? Text(string key) => Value(key)?.AsText();

    /// <summary>The flag of a key; null where it is absent.</summary>
    public bool? Flag(string key) => Value(key)?.AsFlag();

    /// <summary>The whole number of a key; null where it is absent.</summary>
    public int? Integer(string key) => Value(key)?.AsInteger();

    /// <summary>The finite number of a key; null where it is absent.</summary>
    public double? Number(string key) => Value(key)?.AsNumber();

    public JsonValue RequireObject(string expected = "a JSON object") => IsObject ? this : throw Wrong(expected);

    public JsonValue RequireList(string expected = "a list") => IsList ? this : throw Wrong(expected);

    public string AsText(string expected = "text") => IsText ? _element.GetString()! : throw Wrong(expected);

    public bool AsFlag(string expected = "true or false") => Kind is JsonValueKind.True or JsonValueKind.False ? _element.GetBoolean() : throw Wrong(expected);

    public int AsInteger(string expected = "a whole number") => IsNumber && _element.TryGetInt32(out int integer) ? integer : throw Wrong(expected);

    public long AsLong(string expected = "a whole number") => IsNumber && _element.TryGetInt64(out long integer) ? integer : throw Wrong(expected);

    /// <summary>A finite number.</summary>
    public double AsNumber(string expected = "a number") =>
        IsNumber && _element.TryGetDouble(out double number) && double.IsFinite(number) ? number : throw Wrong(expected);

    /// <summary>The error of this value.</summary>
    /// <param name="problem">What is wrong with it and what to do.</param>
    /// <param name="inner">The cause, if another exception is.</param>
    public ModelCompilerException Error(string problem, Exception? inner = null) =>
        _failure(Source, _parent is null ? problem : $"key '{KeyPath()}' {problem}", inner);

    /// <summary>The error of a value of another type or range.</summary>
    public ModelCompilerException Wrong(string expected) => Error($"must be {expected}, not {(RawText.Length <= LongestShown ? RawText : RawText[..LongestShown] + "...")}");

    /// <summary>The error of a key of this object, also of one that is missing.</summary>
    public ModelCompilerException Wrong(string key, string expected) =>
        Value(key)?.Wrong(expected) ?? new JsonValue(default, this, key).Error($"must be {expected}; it is missing");

    /// <summary>A text as it reads, anything else as it stands in the file.</summary>
    public override string ToString() => IsText ? AsText() : RawText;

    /// <summary>Such as model.merges[3].</summary>
    private string KeyPath()
    {
        string before = _parent?.KeyPath() ?? "";
        return _parent is null ? "" : _key is null ? $"{before}[{_index}]" : before.Length == 0 ? _key : $"{before}.{_key}";
    }
}
