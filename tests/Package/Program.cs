using ModelCompiler.CommandLine;
using ModelCompiler.Data;
using ModelCompiler.Models;
using ModelCompiler.Planning;
using ModelCompiler.Training;

if (args.Length > 0)
{
    return await ModelHost.RunAsync(args);
}

using Tiny_Lora model = Model.ForTraining<Tiny_Lora>(new TrainingPlan { Batch = 2, Sequence = 16 });
Initialization.All(model, seed: 1);
int[] tokens = [1, 2, 3, 4, 5, 6, 7, 8];
Example[] examples = [new(tokens, [2, 3, 4, 5, 6, 7, 8, 9]), new([3, 5, 7, 9], [5, 7, 9, 11])];
var trainer = new Trainer(model, new Batches(examples, batch: 2, sequence: 16, seed: 1), new TrainingOptions { Steps = 40, LearningRate = 0.02 });
double first = trainer.Step().Loss;
double last = trainer.Run().Loss;
Console.WriteLine($"loss {first:F3} to {last:F3}, rank of a query adapter {model.Layers[0].Attention.Query.Adapter.Rank}");
return last < first - 0.1 ? 0 : 1;
