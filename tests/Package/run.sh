#!/usr/bin/env bash
# Packs ModelCompiler, its CUDA backend and ModelCompiler.Hosting, then builds and runs a small program outside the repository against the packages alone.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for project in ModelCompiler ModelCompiler.Cuda ModelCompiler.Hosting; do
    dotnet pack "$root/src/$project" -c Release -o "$work/feed" --nologo -v quiet
done
mkdir "$work/program"
cp "$here"/*.cs "$here/Package.csproj" "$work/program"
cd "$work/program"

# A packages folder of its own, so that no older package of the same version is taken; others come from the user's folder.
dotnet build -c Release --nologo -v quiet \
    -p:RestorePackagesPath="$work/packages" \
    -p:RestoreFallbackFolders="${NUGET_PACKAGES:-$HOME/.nuget/packages}" \
    -p:RestoreAdditionalProjectSources="$work/feed"
cmp bin/Release/net10.0/ModelCompiler.dll "$root/src/ModelCompiler/bin/Release/net10.0/ModelCompiler.dll"
dotnet bin/Release/net10.0/Package.dll
dotnet bin/Release/net10.0/Package.dll list --json | grep -q '"name":"Tiny_Lora"'
echo "package: ok"
