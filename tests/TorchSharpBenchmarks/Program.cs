using System.Diagnostics;
using System.Globalization;
using ModelCompiler.Backends;
using ModelCompiler.Benchmarks;
using ModelCompiler.Benchmarks.Models;
using ModelCompiler.Models;
using ModelCompiler.Optimizers;
using ModelCompiler.Planning;
using ModelCompiler.Torch;
using ModelCompiler.Torch.Peers;
using ModelCompiler.Training;
using Parameter = ModelCompiler.Models.Parameter;
using TorchSharp;

namespace ModelCompiler.TorchSharpBenchmarks;

/// <summary>
/// One step (forward, backward, AdamW) of a 28M-parameter Llama, batch 4 x 256, trained as a whole or, <c>-lora</c>, LoRA of rank 8 on all its linears:
/// <c>plain</c> as modules with torch's autograd and optimizer, <c>module</c> the compiled module in torch's autograd and optimizer, <c>compiled</c> the
/// compiled model on TorchBackend. Arguments: one of these and the threads of torch (2); or how often (3) and the threads, for all in turn, in processes of
/// their own. OpenBLAS has threads of its own: OPENBLAS_NUM_THREADS.
/// </summary>
internal static class Program
{
    private const int Batch = 4;
    private const int Sequence = 256;
    private const int Vocabulary = 4096;
    private const int Warmup = 3;
    private const int Steps = 10;

    private static readonly TrainingPlan s_plan = new() { Batch = Batch, Sequence = Sequence };

    private static readonly Dictionary<string, Func<(Func<double> Step, TransformerModel? Model)>> s_programs = new()
    {
        ["plain"] = () => Plain(rank: 0),
        ["module"] = () => Module(new Llama28M.Module(s_plan)),
        ["compiled"] = () => Compiled(Llama28M.ForTraining(s_plan, new TorchBackend())),
        ["plain-lora"] = () => Plain(rank: 8),
        ["module-lora"] = () => Module(new Llama28M_Lora.Module(s_plan)),
        ["compiled-lora"] = () => Compiled(Llama28M_Lora.ForTraining(s_plan, new TorchBackend())),
    };

    private static void Main(string[] args)
    {
        if (args.Length > 0 && s_programs.TryGetValue(args[0], out Func<(Func<double> Step, TransformerModel? Model)>? program))
        {
            torch.set_num_threads(args.Length > 1 ? int.Parse(args[1], CultureInfo.InvariantCulture) : 2);
            (Func<double> step, TransformerModel? model) = program();
            Console.WriteLine(Measure(step) + (model is null ? "" : FormattableString.Invariant($", arena {model.Plan.Cost.Arena / 1048576.0:F0} MiB")));
            return;
        }

        for (int round = 0; round < (args.Length > 0 ? int.Parse(args[0], CultureInfo.InvariantCulture) : 3); round++)
        {
            foreach (string name in s_programs.Keys)
            {
                (string file, string[] arguments) = OwnProcess.Again([name, .. args.Skip(1)]);
                Console.Write($"{name}: ");
                Console.Out.Flush();
                using Process child = Process.Start(file, arguments);
                child.WaitForExit();
            }
        }
    }

    private static string Measure(Func<double> step)
    {
        TimeSpan processor = default;
        var milliseconds = new List<double>();
        double loss = 0;
        for (int i = 0; i < Warmup + Steps; i++)
        {
            processor = i == Warmup ? Environment.CpuUsage.TotalTime : processor;
            long start = Stopwatch.GetTimestamp();
            loss = step();
            if (i >= Warmup)
            {
                milliseconds.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
            }
        }

        processor = (Environment.CpuUsage.TotalTime - processor) / Steps;
        milliseconds.Sort();
        double median = milliseconds[Steps / 2];
        using Process self = Process.GetCurrentProcess();
        return FormattableString.Invariant(
            $"median {median:F0} ms, best {milliseconds[0]:F0} ms, processors {processor.TotalMilliseconds:F0} ms, {Batch * Sequence / median * 1e3:F0} tokens/s, peak resident {self.PeakWorkingSet64 / 1048576.0:F0} MiB, loss {loss:F4}");
    }

    private static (Func<double>, TransformerModel?) Plain(int rank)
    {
        var model = new PlainLlama(new LlamaSize(Vocabulary, Width: 512, Layers: 8, Heads: 8, KeyValueHeads: 8, Hidden: 1408, Rank: rank));
        using (torch.no_grad())
        {
            foreach ((_, torch.Tensor value) in model.Named().Where(p => p.Value.dim() == 2))
            {
                value.uniform_(-0.02, 0.02);
            }
        }

        return (WithAutograd(model), null);
    }

    private static (Func<double>, TransformerModel?) Module<T>(CompiledModule<T> module)
        where T : TransformerModel
    {
        Fill(module.Model);
        return (WithAutograd(module), module.Model);
    }

    private static Func<double> WithAutograd(torch.nn.Module<torch.Tensor, torch.Tensor> model)
    {
        torch.optim.Optimizer optimizer = torch.optim.AdamW(model.parameters().Where(p => p.requires_grad), lr: 1e-3, weight_decay: 0);
        (int[] ids, int[] targets) = Tokens();
        torch.Tensor input = torch.tensor(ids).view(Batch, Sequence).to_type(torch.ScalarType.Int64), target = torch.tensor(targets).to_type(torch.ScalarType.Int64);
        return () =>
        {
            using DisposeScope scope = torch.NewDisposeScope();
            optimizer.zero_grad();
            torch.Tensor loss = torch.nn.functional.cross_entropy(model.forward(input).view(-1, Vocabulary), target);
            loss.backward();
            optimizer.step();
            return loss.item<float>();
        };
    }

    private static (Func<double>, TransformerModel?) Compiled(TransformerModel model)
    {
        Fill(model);
        (int[] ids, int[] targets) = Tokens();
        var updates = new ParameterUpdates(model);
        int count = 0;
        return (Step, model);

        double Step()
        {
            model.BeginStep(new Backends.Step(Batch, Sequence, LossScale: 1.0 / targets.Length), ids, targets, training: true);
            model.Backend.Zero(model.LossSum);
            model.ZeroGradients();
            model.Forward();
            model.Loss(backward: true);
            model.Backward();
            updates.Run(new AdamWStep(1e-3, 0.9, 0.999, 1e-8, 0, ++count, 1));
            return model.Backend.Read(model.LossSum) / targets.Length;
        }
    }

    private static (int[] Ids, int[] Targets) Tokens()
    {
        var random = new Random(1);
        int[] ids = new int[Batch * Sequence], targets = new int[Batch * Sequence];
        for (int i = 0; i < ids.Length; i++)
        {
            (ids[i], targets[i]) = (random.Next(Vocabulary), random.Next(Vocabulary));
        }

        return (ids, targets);
    }

    private static void Fill(TransformerModel model)
    {
        var random = new Random(7);
        foreach (Parameter p in model.Parameters)
        {
            float[] values = new float[p.Value.Count];
            for (int i = 0; i < values.Length; i++)
            {
                values[i] = p.Info.Vector ? 1 : (float)(0.04 * (random.NextDouble() - 0.5));
            }

            model.Backend.Write(p.Value, values);
        }

        GC.Collect();
    }
}
