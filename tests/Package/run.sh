#!/usr/bin/env bash
# Packs ModelCompiler, its CUDA backend and ModelCompiler.CommandLine, then builds and runs a small program outside the repository against the packages alone.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# A version that nobody else packs: whatever ModelCompiler other folders of packages hold, it is not taken.
version=0.1.0-test.$(date +%s).$$
for project in ModelCompiler.Abstractions ModelCompiler ModelCompiler.HuggingFace ModelCompiler.Cuda ModelCompiler.CommandLine; do
    dotnet pack "$root/src/$project" -c Release -o "$work/feed" --nologo -v quiet -p:PackageVersion="$version"
done
mkdir "$work/program"
cp "$here"/*.cs "$here/Package.csproj" "$work/program"
cd "$work/program"

# What is restored stays in a folder of its own; packages of others that the user already has are not fetched again.
fallback=$(dotnet nuget locals global-packages --list | sed 's/^global-packages: //')
dotnet build -c Release --nologo -v quiet \
    -p:ModelCompilerVersion="$version" \
    -p:RestorePackagesPath="$work/packages" \
    -p:RestoreFallbackFolders="$fallback" \
    -p:RestoreAdditionalProjectSources="$work/feed"
test -d "$work/packages/modelcompiler/$version"
cmp bin/Release/net10.0/ModelCompiler.dll "$root/src/ModelCompiler/bin/Release/net10.0/ModelCompiler.dll"
dotnet bin/Release/net10.0/Package.dll
dotnet bin/Release/net10.0/Package.dll list --json | grep -q '"name":"Tiny_Lora"'
echo "package: ok"
