using ModelCompiler.Benchmarks;

string name = args.Length > 0 ? args[0] : "";
Action? benchmark = name switch
{
    "gemm" => GemmBenchmark.Run,
    "elementwise" => ElementwiseBenchmark.Run,
    "attention" => AttentionBenchmark.Run,
    "step" => () => LoraStepBenchmark.Run(args[1..]),
    "nf4" => Nf4Benchmark.Run,
    "resident" => () => ResidentMemoryBenchmark.Run(args[1..]),
    "fit" => FitBenchmark.Run,
    _ => null,
};
if (benchmark == null)
{
    Console.Error.WriteLine("usage: dotnet run -c Release --project tests/Benchmarks -- gemm|nf4|attention|elementwise|step [PEER [ROUNDS]]|resident|fit");
    return 2;
}

benchmark();
return 0;
