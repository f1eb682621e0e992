#!/usr/bin/env bash
# Packs the GPU benchmark and the CUDA tests with their own .NET runtime: a machine with a driver and CUDA's libraries runs them, without an SDK.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
out=${1:-$root/artifacts/gpu}
rm -rf "$out/gpu-bench"
mkdir -p "$out"
dotnet publish "$here" -c Release -r linux-x64 --self-contained -o "$out/gpu-bench" --nologo -v quiet
cp "$here/run.sh" "$here/peer.py" "$out/gpu-bench/"
tar -C "$out" -czf "$out/gpu-bench.tar.gz" gpu-bench
echo "$out/gpu-bench.tar.gz: $(du -h "$out/gpu-bench.tar.gz" | cut -f1)"
