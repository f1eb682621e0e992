using System.Text.Json;
using ModelCompiler.CommandLine.Estimators.PyTorch;

namespace ModelCompiler.Cli.Tests;

public class PlanTests
{
    [Fact]
    public void Terms_add_up_to_the_peak()
    {
        Outcome outcome = Mc.Run("plan Llama2_7B_Lora --batch 2 --sequence 512 --gradient-accumulation 3 --json");
        JsonElement json = outcome.Json();
        Assert.Equal(0, outcome.Code);
        JsonElement bytes = json.GetProperty("bytes");
        string[] terms = ["weights", "adapters", "gradients", "optimizer", "activations", "workspace", "inputs", "overhead"];
        Assert.Equal(terms, bytes.EnumerateObject().Select(p => p.Name));
        Assert.Equal(json.GetProperty("peak").GetInt64(), terms.Sum(t => bytes.GetProperty(t).GetInt64()));

        // 2 bytes a weight, 4 an element of the 65 norms; 4 bytes an adapter parameter, twice that for AdamW.
        Assert.Equal(2L * 6_738_415_616 + 2L * 65 * 4096, bytes.GetProperty("weights").GetInt64());
        Assert.Equal(4L * 39_976_960, bytes.GetProperty("adapters").GetInt64());
        Assert.Equal(8L * 39_976_960, bytes.GetProperty("optimizer").GetInt64());
        JsonElement plan = json.GetProperty("plan");
        Assert.Equal((2, 512, 3), (plan.GetProperty("batch").GetInt32(), plan.GetProperty("sequence").GetInt32(), plan.GetProperty("gradientAccumulation").GetInt32()));
        Assert.Equal("selective", plan.GetProperty("checkpointing").GetString());
        Assert.True(json.GetProperty("fits").GetBoolean());
        Assert.True(json.GetProperty("flopsPerStep").GetDouble() > 3.0 * 2 * 512 * 4 * 6.4e9);
    }

    [Fact]
    public void A_quantized_plan_counts_codes_factors_and_constants()
    {
        JsonElement json = Mc.Run("plan Llama2_7B_QLora --batch 1 --sequence 512 --json").Json();
        JsonElement bytes = json.GetProperty("bytes");
        Assert.Equal("NF4", json.GetProperty("plan").GetProperty("storage").GetString());
        Assert.Equal(4L * 39_976_960, bytes.GetProperty("adapters").GetInt64());

        // gelato.md section 2 with our storage: 4 bits a projection weight, one byte per 64 and 4 bytes per 64 x 256 of them, the mean of each
        // tensor's factors (alone in its 64 bytes), embedding and head in bf16, norms in fp32.
        const long projections = 32L * (4 * 4096 * 4096 + 3 * 4096 * 11_008);
        Assert.Equal(projections / 2 + projections / 64 + 4 * projections / (64 * 256) + 64 * 7 * 32 + 2L * 2 * 32_000 * 4096 + 4 * 65 * 4096, bytes.GetProperty("weights").GetInt64());
    }

    [Fact]
    public void Storage_of_the_plan_replaces_the_recipes()
    {
        JsonElement Plan(string line) => Mc.Run($"plan {line} --json").Json();
        Assert.Equal(Plan("Llama2_7B_QLora").GetProperty("peak").GetInt64(), Plan("Llama2_7B_Lora --storage nf4").GetProperty("peak").GetInt64());
        Assert.Equal(Plan("Llama2_7B_Lora").GetProperty("peak").GetInt64(), Plan("Llama2_7B_QLora --storage BFloat16").GetProperty("peak").GetInt64());
        Assert.Equal("Int8", Plan("Llama2_7B_QLora --storage Int8").GetProperty("plan").GetProperty("storage").GetString());
        Outcome full = Mc.Run("plan Llama2_7B --storage NF4");
        Assert.Equal((2, true), (full.Code, full.Error.Contains("trains all of its weights", StringComparison.Ordinal)));
        Outcome uneven = Mc.Run("plan Stories260K_Lora --storage Int4");
        Assert.Equal((2, true), (uneven.Code, uneven.Error.Contains("do not divide 172 inputs", StringComparison.Ordinal)));
    }

    [Fact]
    public void A_plan_over_the_budget_exits_3_and_says_by_how_much()
    {
        long peak = Mc.Run("plan Stories260K_Lora --json").Json().GetProperty("peak").GetInt64();
        Assert.Equal(0, Mc.Run($"plan Stories260K_Lora --json --budget {peak}B").Code);
        Outcome over = Mc.Run($"plan Stories260K_Lora --json --budget {peak - 17}B");
        Assert.Equal(3, over.Code);
        Assert.False(over.Json().GetProperty("fits").GetBoolean());
        Assert.Equal(peak - 17, over.Json().GetProperty("budget").GetInt64());
        Assert.Contains("17 B more than the budget", over.Error, StringComparison.Ordinal);
        Assert.Contains("its largest term is overhead", over.Error, StringComparison.Ordinal);
    }

    /// <summary>Every adapter of rank 16 on a Llama 2 7B has 4096 elements or more, a multiple of 256: 2 + 8 / 256 bytes each.</summary>
    [Fact]
    public void Moments_in_8_bits_take_2_03125_bytes_a_parameter()
    {
        JsonElement json = Mc.Run("plan Llama2_7B_Lora --optimizer adamw8bit --json").Json();
        Assert.Equal("adamw8bit", json.GetProperty("plan").GetProperty("optimizer").GetString());
        Assert.Equal((long)(2.03125 * 39_976_960), json.GetProperty("bytes").GetProperty("optimizer").GetInt64());
    }

    /// <summary>Moments of 100,000 elements and more move to host memory; two pages of the largest, 16 x 11,008, take their place.</summary>
    [Fact]
    public void Paged_moments_are_beside_the_peak()
    {
        JsonElement resident = Mc.Run("plan Llama2_7B_Lora --json").Json();
        JsonElement paged = Mc.Run("plan Llama2_7B_Lora --optimizer paged --json").Json();
        Assert.Equal(0, resident.GetProperty("paged").GetInt64());
        long moved = paged.GetProperty("paged").GetInt64();
        Assert.Equal(3L * 32 * 16 * 11_008 * 8, moved);
        Assert.Equal(resident.GetProperty("peak").GetInt64() - moved + 2 * 16 * 11_008 * 8, paged.GetProperty("peak").GetInt64());
        Assert.Contains($"paged to host memory, not in the peak: {moved:N0} bytes", Mc.Run("plan Llama2_7B_Lora --optimizer paged").Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Checkpointing_rank_and_threads_change_the_cost()
    {
        long Term(string line, string term) => Mc.Run($"plan Llama2_7B_Lora --json {line}").Json().GetProperty("bytes").GetProperty(term).GetInt64();
        Assert.True(Term("--checkpointing none", "activations") > Term("--checkpointing selective", "activations"));
        Assert.True(Term("--checkpointing selective", "activations") > Term("--checkpointing block", "activations"));
        Assert.Equal(2 * Term("--rank 4", "adapters"), Term("--rank 8", "adapters"));
        Assert.Equal(4 * Term("--threads 1", "workspace"), Term("--threads 4", "workspace"));
    }

    [Fact]
    public void The_most_that_is_live_at_once_is_beside_the_peak()
    {
        JsonElement json = Mc.Run("plan Llama2_7B_QLora --batch 4 --sequence 2048 --json").Json();
        (long bound, long peak) = (json.GetProperty("lowerBound").GetInt64(), json.GetProperty("peak").GetInt64());
        Assert.InRange(bound, peak / 1.03, peak);
        Assert.Contains("most live at once: ", Mc.Run("plan Llama2_7B_QLora --batch 4 --sequence 2048").Output, StringComparison.Ordinal);
        Assert.Equal(JsonValueKind.Null, Mc.Run("plan Llama2_7B_QLora --estimator gelato --json").Json().GetProperty("lowerBound").ValueKind);
    }

    /// <summary>
    /// Memory on a GPU is planned without one: activations in 16 bits take half, parameters what they take elsewhere, and workspace is what cuBLASLt
    /// and the constants take with room for the largest operands of another type than activations: the head's 16 bits, or an adapter's two matrices and a vector.
    /// </summary>
    [Fact]
    public void A_gpu_is_planned_for_without_one()
    {
        JsonElement whole = Mc.Run("plan Llama2_7B_Lora --backend cuda-float32 --json").Json();
        JsonElement half = Mc.Run("plan Llama2_7B_Lora --backend cuda --json").Json();
        long Term(JsonElement plan, string name) => plan.GetProperty("bytes").GetProperty(name).GetInt64();
        Assert.InRange((double)Term(half, "activations") / Term(whole, "activations"), 0.5, 0.505);
        Assert.Equal(Term(whole, "weights"), Term(half, "weights"));
        Assert.Equal(Term(whole, "optimizer"), Term(half, "optimizer"));

        const long Fixed = (32L << 20) + (64L << 10);
        const long Head = 32_000L * 4_096;
        Assert.Equal(Fixed + 4 * Head, Term(whole, "workspace"));
        Assert.Equal(Fixed + 2 * (2 * 16 * 11_008 + 4_096), Term(half, "workspace"));
    }

    /// <summary>What is found for a GPU names it in the attribute that fixes it.</summary>
    [Fact]
    public void A_fit_for_a_gpu_says_so_in_the_recipe()
    {
        Outcome outcome = Mc.Run("plan Llama2_7B_QLora --backend cuda --fit --budget 24GiB --sequence 1024");
        Assert.Equal(0, outcome.Code);
        Assert.Contains("activations in BFloat16", outcome.Output, StringComparison.Ordinal);
        Assert.Contains("[MemoryBudget(\"24 GiB\", Device = Device.Cuda, Batch = ", outcome.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("[MemoryBudget", Mc.Run("plan Llama2_7B_QLora --backend cuda-float32 --fit --budget 40GiB --sequence 1024").Output, StringComparison.Ordinal);
    }
}
