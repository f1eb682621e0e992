#!/usr/bin/env bash
# Unpacked on a machine with a GPU: runs the CUDA tests, then the benchmark beside PyTorch where there is one. Results go to the folder given.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
out=${1:-.}
mkdir -p "$out"

# CUDA's libraries may have come with a Python package instead of a toolkit.
if [ -z "${MODELCOMPILER_CUDA_PATH:-}" ] && ! ldconfig -p | grep -q libcublasLt; then
    lib=$(python3 -c 'import glob, nvidia; print(next(iter(sorted(g for p in nvidia.__path__ for g in glob.glob(p + "/cu*/lib"))), ""))' 2>/dev/null)
    [ -n "$lib" ] && export MODELCOMPILER_CUDA_PATH="$lib" LD_LIBRARY_PATH="$lib:${LD_LIBRARY_PATH:-}"
fi

peer=()
python3 -c 'import torch, peft, transformers' 2>/dev/null && peer=("$here/peer.py")
"$here/gpu-bench" test 2>&1 | tee "$out/tests.txt" | tail -n 25
status=${PIPESTATUS[0]}
if command -v compute-sanitizer >/dev/null; then
    timeout 240 compute-sanitizer --tool memcheck "$here/gpu-bench" test DeviceTests.AgreesWithReference > "$out/memcheck.txt" 2>&1
    tail -n 2 "$out/memcheck.txt"
fi
"$here/gpu-bench" bench "$out/gpu.json" "${peer[@]}" || status=1
exit "$status"
