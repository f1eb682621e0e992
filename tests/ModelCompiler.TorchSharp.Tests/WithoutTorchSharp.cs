namespace ModelCompiler.Torch.Tests;

public class WithoutTorchSharp
{
    [Fact(Skip = "TorchSharp is not built by default: dotnet test tests/ModelCompiler.TorchSharp.Tests -p:TorchSharp=true restores its packages and runs the tests.")]
    public void Tests_of_the_TorchSharp_backend()
    {
    }
}
