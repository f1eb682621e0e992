using ModelCompiler.CommandLine;
using ModelCompiler.Models;

Gallery.Register();
return await ModelHost.RunAsync(args);
