using System.Globalization;
using ModelCompiler.Compiler;
using ModelCompiler.Compiler.Description;
using ModelCompiler.Compiler.Tests.Compiled;
using Targets = ModelCompiler.Projections;

namespace ModelCompiler.Compiler.Tests.Writing;

/// <summary>The generated text as text.</summary>
public class TextTests
{
    [Fact]
    public void Lines_do_not_grow_with_depth()
    {
        int[] Lines(int layers) => ModelCompilation.Compile(Llama.Architecture(layers, 64, 172, 8, 4).WithLora(Targets.All, 4)).Select(f => f.Text.Count(c => c == '\n')).ToArray();
        Assert.Equal(Lines(3), Lines(80));
    }

    [Fact]
    public void Numbers_are_written_the_same_in_every_culture()
    {
        ModelSpec spec = Llama.Architecture(2, 64, 172, 8, 4).WithLora(Targets.All, 4, dropout: 0.25);
        CultureInfo kept = CultureInfo.CurrentCulture;
        try
        {
            string[] Texts() => ModelCompilation.Compile(spec).Select(f => f.Text).ToArray();
            CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
            string[] invariant = Texts();
            var odd = (CultureInfo)CultureInfo.InvariantCulture.Clone();
            odd.NumberFormat.NumberDecimalSeparator = ",";
            odd.NumberFormat.NegativeSign = "−";
            CultureInfo.CurrentCulture = odd;
            Assert.Equal(invariant, Texts());
        }
        finally
        {
            CultureInfo.CurrentCulture = kept;
        }
    }

    [Fact]
    public void The_same_description_gives_the_same_text()
    {
        ModelSpec first = Llama.Architecture(4, 64, 172, 8, 4).WithLora(Targets.Attention, 4);
        ModelSpec second = Llama.Architecture(4, 64, 172, 8, 4).WithLora(Targets.Attention, 4);
        Assert.Equal(first, second);
        Assert.Equal(ModelCompilation.Compile(first), ModelCompilation.Compile(second));
    }
}
