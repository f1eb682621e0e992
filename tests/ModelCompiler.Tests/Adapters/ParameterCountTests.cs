using ModelCompiler.Models;

namespace ModelCompiler.Tests.Adapters;

/// <summary>Trainable parameters of each method at sizes that papers report.</summary>
public class ParameterCountTests
{
    [Fact]
    public void Lora_of_rank_64_on_all_linears_of_llama2_7b() =>
        Assert.Equal(159_907_840, Llama2_7B_Lora.Tables.ParameterCount(trainable: true, rank: 64));

    [Fact]
    public void Qalora_of_rank_64_in_groups_of_32_on_all_linears_of_llama2_7b() =>
        Assert.Equal(89_309_184, Llama2_7B_QaLora.Tables.ParameterCount(trainable: true));

    [Fact]
    public void Dylora_of_rank_64_on_all_linears_of_falcon_40b()
    {
        // Query, output; key, value (8 heads of 64); up, down: 60 layers of width 8192.
        const long layer = 2 * (8192 + 8192) + 2 * (8192 + 512) + 2 * (8192 + 32768);
        Assert.Equal(60 * 64 * layer, Falcon_40B_QDyLora.Tables.ParameterCount(trainable: true));
    }
}
