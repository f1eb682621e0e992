namespace ModelCompiler.Cuda.Compilation;

/// <summary>NVRTC's entry points as this library calls them; each returns an nvrtcResult.</summary>
internal interface IRuntimeCompiler
{
    /// <summary>Whether the library can be loaded. Nothing else may be called where it cannot.</summary>
    bool IsPresent { get; }

    /// <summary>The name of a result, such as NVRTC_ERROR_COMPILATION.</summary>
    string ErrorName(int error);

    int Version(out int major, out int minor);

    int CreateProgram(out nint program, KernelSource source);

    int CompileProgram(nint program, string[] options);

    int GetLog(nint program, out string log);

    int GetCubin(nint program, out byte[] cubin);

    int DestroyProgram(nint program);
}
