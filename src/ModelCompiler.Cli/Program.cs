using ModelCompiler.Hosting;
using ModelCompiler.Models;

Gallery.Register();
return await ModelHost.RunAsync(args);
