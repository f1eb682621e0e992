namespace ModelCompiler.Models;

/// <summary>L1RA on every linear projection of the quickstart's model, with the rank budget of its LoRA; gates are quick, for runs of some hundred steps.</summary>
[FineTune<DocsWriter>]
[L1ra(Rank = 32, Alpha = 64, GateRate = 0.05, Lambda = 0.1, OptimizerOnReassign = OptimizerOnReassign.Splice, Targets = Projections.All)]
public partial class DocsWriter_L1ra;
