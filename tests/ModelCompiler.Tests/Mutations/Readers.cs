using System.Text;
using ModelCompiler.Adapters;
using ModelCompiler.Backends.Cpu;
using ModelCompiler.CommandLine.Quickstart.Documentation;
using ModelCompiler.Data;
using ModelCompiler.HuggingFace.BitsAndBytes;
using ModelCompiler.HuggingFace.Checkpoints;
using ModelCompiler.HuggingFace.Config;
using ModelCompiler.HuggingFace.Peft;
using ModelCompiler.HuggingFace.Tokenizers;
using ModelCompiler.HuggingFace.Weights;
using ModelCompiler.Models;
using ModelCompiler.Planning;
using ModelCompiler.Safetensors;
using ModelCompiler.Tests.Adapters;
using ModelCompiler.Tests.Checkpoints;
using ModelCompiler.Tests.Files;
using ModelCompiler.Tests.Models;
using ModelCompiler.Tests.Training;
using ModelCompiler.Tokenizers;
using ModelCompiler.Training;
using static ModelCompiler.Tests.Checkpoints.SafetensorsBytes;

namespace ModelCompiler.Tests.Mutations;

/// <summary>The readers of the product, one entry each.</summary>
internal static class Readers
{
    public static IReadOnlyList<MutatedReader> All { get; } =
    [
        new("safetensors", ["SafetensorsFile.Open", "SafetensorsTypeExtensions.TryParse"], ["m.safetensors"], Safetensors, typeof(CheckpointException)),
        new("shards", ["Checkpoint.Open"], [Checkpoint.IndexName, "one.safetensors"], Shards, typeof(CheckpointException)),
        new("config.json", [], ["config.json"], Config, typeof(CheckpointException)),
        new("base", ["BaseWeights.Load"], ["config.json", "model.safetensors"], Base, typeof(CheckpointException)),
        new("bitsandbytes base", [], ["model.safetensors"], QuantizedBase, typeof(CheckpointException)),
        new("bitsandbytes state", [], ["state.json"], State, typeof(CheckpointException)),
        new("ranks from a base", ["PretrainedWeights.ChooseRanks"], ["config.json", "model.safetensors"], ChosenRanks, typeof(CheckpointException)),
        new("generation_config.json", ["EndTokens.Read"], ["generation_config.json", "config.json"], GenerationConfig, typeof(CheckpointException)),
        new("adapter", ["PeftAdapter.Load"], ["adapter_config.json", "adapter_model.safetensors"], Adapter, typeof(CheckpointException)),
        new("adapter of a model", ["AdapterFiles.Load", "AdapterFiles.Ranks"], ["adapter_config.json", "adapter_model.safetensors"], ModelAdapter, typeof(CheckpointException)),
        new("tokenizer.json", ["PretrainedTokenizer.Load", "ByteLevelBpe.Load"], ["tokenizer.json"], TokenizerJson, typeof(TokenizerException)),
        new("tokenizer_config.json", [], ["tokenizer_config.json", "special_tokens_map.json"], TokenizerJson, typeof(TokenizerException)),
        new("GPT-2's pair", [], ["encoder.json", "vocab.bpe", "added_tokens.json"], Gpt2Pair, typeof(TokenizerException)),
        new("tok.bin", ["SentencePieceBpe.Load"], ["tok.bin"], TokBin, typeof(TokenizerException)),
        new(".jsonl", ["TextDataset.Read"], ["d.jsonl"], folder => Dataset(folder, "d.jsonl", Rows), typeof(DatasetException)),
        new(".json", [], ["d.json"], folder => Dataset(folder, "d.json", $"[{Rows.Trim().Replace("\n", ",\n", StringComparison.Ordinal)}]"), typeof(DatasetException)),
        new(".txt", [], ["d.txt"], folder => Dataset(folder, "d.txt", "Ein größeres Beispiel.\nTwo lines.\n"), typeof(DatasetException)),
        new("documentation", ["ReferenceDocumentation.Load", "ReferenceDocumentation.ReadMembers"], ["packs/a/1/ref/net/a.xml"], Documentation, typeof(DatasetException)),
        new("training checkpoint", ["TrainingCheckpoint.CompletedSteps"], [TrainingCheckpoint.FileName], folder => Training<StoriesLoraDropout>(folder), typeof(CheckpointException), typeof(TrainingException)),
        new("training checkpoint with a schedule", [], [TrainingCheckpoint.FileName], folder => Training<StoriesL1ra>(folder), typeof(CheckpointException), typeof(TrainingException)),
        new("metrics.jsonl", [], ["metrics.jsonl"], Metrics),
        new("spectra", [], ["spectrum.json"], Spectra),
        new("size", ["ByteSize.TryParse"], ["size.txt"], Size),
        new("table of buffers", ["BufferTable.Read", "Dim.Parse"], ["buffers.txt"], Buffers, typeof(FormatException)),
        new("set of layers", ["LayerSet.Parse"], ["layers.txt"], Layers, typeof(FormatException)),
        new("limit of dropped rows", ["DropLimit.TryParse"], ["limit.txt"], Limit),
    ];

    private const string Rows = """
        {"text": "Once upon a time."}
        {"prompt": "name : A | area : B\n", "completion": "There é is."}
        {"instruction": "do", "input": "x", "output": "y \ud83d\ude00"}
        {"messages": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "yo"}]}

        """;

    private static Action Safetensors(TemporaryFolder folder)
    {
        string header = "{\"__metadata__\":{\"format\":\"pt\"}," + string.Join(
            ",", Entry("a.weight", "F32", "[2, 3]", 0, 24), Entry("b", "F16", "[2]", 24, 28), Entry("c", "BF16", "[2, 1]", 28, 32), Entry("d", "F64", "[]", 32, 40), Entry("e", "I64", "[1]", 40, 48), Entry("f", "F32", "[0]", 48, 48)) + "}";
        File.WriteAllBytes(folder.File("m.safetensors"), Make(header, [.. Floats(1, 2, 3, 4, 5, 6), .. new byte[24]]));
        return () => ReadAll(folder.File("m.safetensors"));
    }

    private static Action Shards(TemporaryFolder folder)
    {
        File.WriteAllBytes(folder.File("one.safetensors"), Make("{" + Entry("a", "F32", "[2]", 0, 8) + "}", Floats(1, 2)));
        File.WriteAllBytes(folder.File("two.safetensors"), Make("{" + Entry("b", "F32", "[1]", 0, 4) + "}", Floats(3)));
        File.WriteAllText(folder.File(Checkpoint.IndexName), """{"metadata": {"total_size": 12}, "weight_map": {"a": "one.safetensors", "b": "two.safetensors"}}""");
        return () => ReadAll(folder.Path);
    }

    private static void ReadAll(string path)
    {
        using Checkpoint checkpoint = Checkpoint.Open(path);
        foreach (string name in checkpoint.Names)
        {
            TensorEntry entry = checkpoint.Entry(name);
            checkpoint.ReadBytes(name, 0, new byte[entry.Bytes]);
            if (entry.Type.IsFloatingPoint())
            {
                checkpoint.Read(name);
            }
        }
    }

    private static Action Config(TemporaryFolder folder)
    {
        File.WriteAllText(folder.File("config.json"), """
            {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 64, "intermediate_size": 172, "num_hidden_layers": 5,
             "num_attention_heads": 8, "num_key_value_heads": 4, "vocab_size": 512, "max_position_embeddings": 512, "rms_norm_eps": 1e-05,
             "rope_theta": 10000.0, "rope_scaling": null, "rope_parameters": {"rope_theta": 10000.0, "rope_type": "default"},
             "hidden_act": "silu", "tie_word_embeddings": true, "bos_token_id": 1, "eos_token_id": [2, 3], "torch_dtype": "float32", "sliding_window": null}
            """);
        return () => BaseWeights.RequireFit(folder.Path, Stories260K.Tables);
    }

    private static Action Base(TemporaryFolder folder)
    {
        Stories260K model = QuantizedWeightsTests.Base<Stories260K>(folder.Path);
        return () => BaseWeights.Load(model, folder.Path);
    }

    private static Action QuantizedBase(TemporaryFolder folder)
    {
        QuantizedWeightsTests.Base<Stories260K>(folder.File("full")).Dispose();
        Stories260K_QLora model = QuantizedWeightsTests.Loaded<Stories260K_QLora>(folder.File("full"));
        BaseWeights.SaveQuantized(model, folder.Path, SafetensorsType.F32);
        return () => BaseWeights.Load(model, folder.Path);
    }

    private static Action State(TemporaryFolder folder)
    {
        File.WriteAllBytes(folder.File("state.json"), new Nf4State(64, "bfloat16", 172, 64, 0.05f).ToJson());
        return () => Nf4State.Parse(File.ReadAllBytes(folder.File("state.json")), "f", "w");
    }

    private static Action ChosenRanks(TemporaryFolder folder)
    {
        QuantizedWeightsTests.Base<Stories260K>(folder.Path).Dispose();
        var options = new RankChoiceOptions { CacheFolder = folder.File("spectra") };
        return () => PretrainedWeights.ChooseRanks(Stories260K_LamdaPlusPlus.Tables, folder.Path, options);
    }

    private static Action GenerationConfig(TemporaryFolder folder)
    {
        File.WriteAllText(folder.File("generation_config.json"), """{"bos_token_id": 1, "eos_token_id": [2, 5], "do_sample": true}""");
        File.WriteAllText(folder.File("config.json"), """{"model_type": "llama", "eos_token_id": 2}""");
        Action tokenizer = TokBin(folder);
        tokenizer();
        Tokenizer loaded = PretrainedTokenizer.Load(folder.File("tok.bin"));
        return () => _ = EndTokens.Read(folder.Path, loaded, 512).Count;
    }

    private static Action Adapter(TemporaryFolder folder)
    {
        SaveAdapter(folder);
        return () =>
        {
            PeftAdapter adapter = PeftAdapter.Load(folder.Path);
            foreach (string module in adapter.Modules.Keys)
            {
                adapter.Config.ScaleOf(module);
            }
        };
    }

    private static Action ModelAdapter(TemporaryFolder folder)
    {
        StoriesLoraDropout model = SaveAdapter(folder);
        return () =>
        {
            AdapterFiles.Ranks(StoriesLoraDropout.Tables, folder.Path);
            AdapterFiles.Load(model, folder.Path);
        };
    }

    private static StoriesLoraDropout SaveAdapter(TemporaryFolder folder)
    {
        StoriesLoraDropout model = Model.ForTraining<StoriesLoraDropout>(new TrainingPlan { Sequence = 8 }, new CpuBackend(1));
        Initialization.All(model, seed: 3);
        AdapterFiles.Save(model, folder.Path, "stories260K");
        return model;
    }

    private static Action TokenizerJson(TemporaryFolder folder)
    {
        File.WriteAllText(folder.File("tokenizer.json"), """
            {"version": "1.0", "added_tokens": [{"id": 6, "content": "<s>", "single_word": false, "lstrip": false, "rstrip": true, "normalized": false, "special": true},
              {"id": 7, "content": "</s>", "single_word": true, "lstrip": true, "rstrip": false, "normalized": true, "special": true}],
             "normalizer": {"type": "Sequence", "normalizers": [{"type": "NFC"}]},
             "pre_tokenizer": {"type": "Sequence", "pretokenizers": [{"type": "Split", "pattern": {"Regex": "\\p{N}{1,3}| ?[^\\s]+"}, "behavior": "Isolated", "invert": false},
              {"type": "Digits", "individual_digits": true}, {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": false}]},
             "post_processor": {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
              "special_tokens": {"<s>": {"id": "<s>", "ids": [6], "tokens": ["<s>"]}}},
             "decoder": {"type": "ByteLevel"},
             "model": {"type": "BPE", "dropout": null, "unk_token": null, "continuing_subword_prefix": "", "end_of_word_suffix": "", "byte_fallback": false,
              "ignore_merges": false, "vocab": {"a": 0, "b": 1, "c": 2, "ab": 3, "abc": 4, "1": 5}, "merges": ["a b", ["ab", "c"]]}}
            """);
        File.WriteAllText(folder.File("tokenizer_config.json"), """
            {"bos_token": {"content": "<s>", "lstrip": false}, "eos_token": "</s>", "add_bos_token": true, "add_eos_token": false, "tokenizer_class": "GPT2Tokenizer",
             "added_tokens_decoder": {"6": {"content": "<s>", "special": true}}, "model_max_length": 512, "chat_template": "{{ messages[0]['content'] }}"}
            """);
        File.WriteAllText(folder.File("special_tokens_map.json"), """{"bos_token": "<s>", "eos_token": {"content": "</s>"}}""");
        return () => Use(PretrainedTokenizer.Load(folder.Path), "abcab1ab");
    }

    private static Action Gpt2Pair(TemporaryFolder folder)
    {
        var vocabulary = new StringBuilder("{\"\\u0120a\": 3, \"<|endoftext|>\": 4");
        foreach ((int id, string token) in new[] { "a", "b", "\\u0120" }.Index())
        {
            vocabulary.Append($", \"{token}\": {id}");
        }

        File.WriteAllText(folder.File("encoder.json"), vocabulary + "}");
        File.WriteAllText(folder.File("vocab.bpe"), "#version: 0.2\n\u0120 a\n");
        File.WriteAllText(folder.File("added_tokens.json"), """{"<|x|>": 5}""");
        return () => Use(PretrainedTokenizer.Load(folder.Path), "a b a");
    }

    private static Action TokBin(TemporaryFolder folder)
    {
        var bytes = new List<byte>(BitConverter.GetBytes(7));
        void Add(string piece, float score)
        {
            byte[] text = Encoding.UTF8.GetBytes(piece);
            bytes.AddRange([.. BitConverter.GetBytes(score), .. BitConverter.GetBytes(text.Length), .. text]);
        }

        foreach (string mark in new[] { "<unk>", "\n<s>\n", "\n</s>\n" })
        {
            Add(mark, 0);
        }

        for (int value = 0; value < 256; value++)
        {
            Add($"<0x{value:X2}>", 0);
        }

        foreach ((int rank, string piece) in new[] { " a", "ab", " ab", "a", "b", " " }.Index())
        {
            Add(piece, -rank);
        }

        File.WriteAllBytes(folder.File("tok.bin"), [.. bytes]);
        return () => Use(PretrainedTokenizer.Load(folder.File("tok.bin")), "ab a ö");
    }

    private static void Use(Tokenizer tokenizer, string text) => tokenizer.Decode(tokenizer.Encode(text));

    private static Action Dataset(TemporaryFolder folder, string name, string text)
    {
        File.WriteAllText(folder.File(name), text);
        return () => TextDataset.Read(folder.File(name));
    }

    private static Action Documentation(TemporaryFolder folder)
    {
        Directory.CreateDirectory(folder.File("packs/a/1/ref/net"));
        File.WriteAllText(folder.File("packs/a/1/ref/net/a.xml"), """
            <?xml version="1.0" encoding="utf-8"?>
            <doc><assembly><name>a</name></assembly><members>
            <member name="T:A.B`1"><summary>A <see cref="T:A.C"/> of <typeparamref name="T"/>.<para>More &lt;text&gt;.</para></summary></member>
            <member name="M:A.B`1.Find(System.Int32,System.Collections.Generic.List{System.String}@)"><summary>Finds <paramref name="x"/>.</summary></member>
            <member name="P:A.B`1.Item(System.Int32)"><summary>An item, <see langword="null"/>.</summary></member>
            <member name="M:A.B`1.op_Implicit(A.C)~System.Int32"><summary>Converts.</summary></member>
            </members></doc>
            """);
        return () => ReferenceDocumentation.Load(folder.Path);
    }

    private static Action Training<T>(TemporaryFolder folder)
        where T : TransformerModel, IModel<T>
    {
        T model = SmallRun.CreateModel<T>();
        AdapterSchedule[] schedules = [.. SmallRun.Options.SchedulesOf(model)];
        KeyValuePair<string, string>[] facts = [new("model", "stories \"small\""), new("batch", "4")];
        TrainingCheckpoint.Save(folder.Path, model, 3, facts, schedules);
        return () =>
        {
            TrainingCheckpoint.CompletedSteps(folder.Path);
            TrainingCheckpoint.Load(folder.Path, model, facts, schedules);
        };
    }

    private static Action Metrics(TemporaryFolder folder)
    {
        File.WriteAllText(folder.File("metrics.jsonl"), string.Concat(Enumerable.Range(1, 5).Select(i => $"{{\"step\":{i},\"loss\":4.6875,\"rate\":0.00095,\"gradNorm\":6.95,\"ranks\":{{\"model.layers.0.self_attn.q_proj\":4}}}}\n")));
        return () => new MetricsFile(folder.Path, 4, Stories260K_Lora.Tables).Dispose();
    }

    /// <summary>A damaged file is told and made again: the spectrum is always the weight's.</summary>
    private static Action Spectra(TemporaryFolder folder)
    {
        float[] weight = [.. Enumerable.Range(0, 12).Select(i => MathF.Sin(i))];
        Spectrum expected = new SpectrumCache(folder.File("cache"), null).Get(weight, 3, 4, 3);
        string kept = Directory.GetFiles(folder.File("cache")).Single();
        File.Copy(kept, folder.File("spectrum.json"));
        return () =>
        {
            File.Copy(folder.File("spectrum.json"), kept, overwrite: true);
            Assert.Equal(expected.Squares, new SpectrumCache(folder.File("cache"), _ => { }).Get(weight, 3, 4, 3).Squares);
        };
    }

    private static Action Size(TemporaryFolder folder)
    {
        File.WriteAllText(folder.File("size.txt"), "24.5 GiB");
        return () => Assert.Equal(ByteSize.TryParse(File.ReadAllText(folder.File("size.txt")), out long bytes), bytes > 0);
    }

    private static Action Buffers(TemporaryFolder folder)
    {
        File.WriteAllText(folder.File("buffers.txt"), "buffer  shape     loss        head\nInput   [T, 64]   input -1..4  -\nNorm    [R, 1]*   saved 0..7  scratch 0..2\nLow     [T, 2r3]  in Norm     in Norm\n");
        return () => BufferTable.Read(File.ReadAllText(folder.File("buffers.txt")));
    }

    private static Action Layers(TemporaryFolder folder)
    {
        File.WriteAllText(folder.File("layers.txt"), "0..2, 5, 8..11");
        return () => LayerSet.Parse(File.ReadAllText(folder.File("layers.txt")));
    }

    private static Action Limit(TemporaryFolder folder)
    {
        File.WriteAllText(folder.File("limit.txt"), "12.5 %");
        return () => DropLimit.TryParse(File.ReadAllText(folder.File("limit.txt")), out _);
    }
}
