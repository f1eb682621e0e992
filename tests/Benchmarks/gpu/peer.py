#!/usr/bin/env python3
"""The figures of gpu-bench in PyTorch, Transformers and PEFT on the same GPU: a line that names them, then one JSON object a line."""
import json
import statistics
import time

import peft
import torch
import transformers

TOKENS = 8192


def say(name, unit, value):
    print(json.dumps({"name": name, "unit": unit, "value": value}), flush=True)


def seconds(call, calls=16, rounds=13, warm_up=3):
    """The median time of a call, many of them put in together."""
    times = []
    for _ in range(rounds):
        torch.cuda.synchronize()
        start = time.perf_counter()
        for _ in range(calls):
            call()
        torch.cuda.synchronize()
        times.append((time.perf_counter() - start) / calls)
    return statistics.median(times[warm_up:])


def kernels():
    source = torch.empty(1 << 28, dtype=torch.bfloat16, device="cuda").normal_()
    target = torch.empty_like(source)
    say("copy", "GB/s", 2 * source.numel() * 2 / 1e9 / seconds(lambda: target.copy_(source)))
    for outputs, inputs in ((2048, 2048), (8192, 2048), (2048, 8192), (4096, 4096), (11008, 4096)):
        x = torch.randn(TOKENS, inputs, dtype=torch.bfloat16, device="cuda")
        w = torch.randn(outputs, inputs, dtype=torch.bfloat16, device="cuda")
        y = torch.empty(TOKENS, outputs, dtype=torch.bfloat16, device="cuda")
        say(f"gemm {TOKENS}x{outputs}x{inputs}", "TFLOP/s", 2 * TOKENS * outputs * inputs / 1e12 / seconds(lambda: torch.mm(x, w.t(), out=y)))
    for sequence, heads, key_heads, width in ((1024, 32, 8, 64), (4096, 32, 32, 128)):
        batch = TOKENS // sequence
        q, k, v = (torch.randn(batch, h, sequence, width, dtype=torch.bfloat16, device="cuda", requires_grad=True) for h in (heads, key_heads, key_heads))
        pairs = 0.5 * batch * heads * sequence * sequence * 2 * width / 1e12
        shape = f"{sequence} x {heads}/{key_heads} x {width}"

        def forward():
            return torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=heads != key_heads)

        with torch.no_grad():
            say(f"attention {shape}", "TFLOP/s", 2 * pairs / seconds(forward))
        out = forward()
        gradient = torch.randn_like(out)
        say(f"attention gradient {shape}", "TFLOP/s", 5 * pairs / seconds(lambda: torch.autograd.grad(out, (q, k, v), gradient, retain_graph=True)))


def lora_step(name, config, batch, sequence):
    """LoRA of rank 16 on every linear; gradient checkpointing off and on, the faster of those that fit is the figure."""
    best = None
    for checkpointing in (False, True):
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
        try:
            speed = run(config, batch, sequence, checkpointing)
        except torch.OutOfMemoryError:
            continue
        peak = torch.cuda.max_memory_allocated() / 2**20
        if best is None or speed > best[0]:
            best = (speed, peak)
    if best:
        say(f"{name}: speed", "tokens/s", best[0])
        say(f"{name}: peak memory", "MiB", best[1])


def run(config, batch, sequence, checkpointing):
    torch.manual_seed(1)
    with torch.device("cuda"):
        model = transformers.AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16, attn_implementation="sdpa")
    targets = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
    model = peft.get_peft_model(model, peft.LoraConfig(r=16, lora_alpha=32, target_modules=targets, task_type="CAUSAL_LM"))
    if checkpointing:
        model.enable_input_require_grads()
        model.gradient_checkpointing_enable()
    model.train()
    trainable = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trainable, lr=1e-4, weight_decay=0, fused=True)
    ids = torch.randint(config.vocab_size, (batch, sequence), device="cuda")

    def step():
        model(input_ids=ids, labels=ids).loss.backward()
        torch.nn.utils.clip_grad_norm_(trainable, 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=False)

    return batch * sequence / seconds(step, calls=1, rounds=12, warm_up=4)


def main():
    print(f"PyTorch {torch.__version__}, Transformers {transformers.__version__}, PEFT {peft.__version__}", flush=True)
    kernels()
    llama = transformers.LlamaConfig(
        vocab_size=128_256, hidden_size=2048, intermediate_size=8192, num_hidden_layers=16, num_attention_heads=32, num_key_value_heads=8,
        max_position_embeddings=131_072, rope_theta=500_000.0, tie_word_embeddings=True, use_cache=False)
    lora_step("lora llama-3.2-1b 8x1024", llama, 8, 1024)


if __name__ == "__main__":
    main()
