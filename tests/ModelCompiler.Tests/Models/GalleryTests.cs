using ModelCompiler.Models;
using ModelCompiler.Planning;

namespace ModelCompiler.Tests.Models;

/// <summary>Models of the gallery against the numbers of parameters that their publishers' checkpoints have.</summary>
public class GalleryTests
{
    [Theory]
    [InlineData(nameof(Llama2_7B), 6_738_415_616)]
    [InlineData(nameof(Llama3_8B), 8_030_261_248)]
    [InlineData(nameof(Llama3_2_1B), 1_235_814_400)]
    [InlineData(nameof(Mistral_7B), 7_248_023_552)]
    [InlineData(nameof(Phi3_Mini), 3_821_079_552)]
    [InlineData(nameof(Qwen2_5_0_5B), 494_032_768)]
    [InlineData(nameof(Qwen3_0_6B), 596_049_920)]
    [InlineData(nameof(SmolLM2_135M), 134_515_008)]
    public void Parameters_are_as_many_as_published(string name, long published)
    {
        Gallery.Register();
        Assert.True(ModelRegistry.TryFind(name, out ModelEntry? entry));
        Assert.Equal(published, entry.Tables.ParameterCount(trainable: false));
    }
}
