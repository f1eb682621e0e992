"""Phi-3 and GPT-2 in PyTorch, float64, over weights in the layout that their Hugging Face checkpoints have: an independent opinion on fused and transposed tensors.

Each model has a loss, logits and gradients of every stored tensor, without an adapter and with a LoRA adapter on its fused projection of queries, keys and values.
"""
import json
import math
import os

import torch

F = torch.nn.functional
DOUBLE = torch.float64
HERE = os.path.dirname(os.path.abspath(__file__))
RANK, ALPHA = 4, 8

PHI3 = {
    "architectures": ["Phi3ForCausalLM"], "model_type": "phi3", "vocab_size": 29, "hidden_size": 24, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "intermediate_size": 40, "hidden_act": "silu", "rms_norm_eps": 1e-5, "rope_theta": 10000.0, "rope_scaling": None,
    "max_position_embeddings": 16, "original_max_position_embeddings": 16, "sliding_window": None, "tie_word_embeddings": False, "torch_dtype": "float32"}

GPT2 = {
    "architectures": ["GPT2LMHeadModel"], "model_type": "gpt2", "vocab_size": 29, "n_embd": 24, "n_layer": 2, "n_head": 3, "n_positions": 16, "n_ctx": 16,
    "n_inner": 40, "activation_function": "gelu_new", "layer_norm_epsilon": 1e-5, "attn_pdrop": 0.1, "scale_attn_weights": True,
    "summary_type": "cls_index", "torch_dtype": "float32"}


def phi3_shapes(c):
    d, f, v = c["hidden_size"], c["intermediate_size"], c["vocab_size"]
    width = d // c["num_attention_heads"]
    s = {"model.embed_tokens.weight": (v, d), "model.norm.weight": (d,), "lm_head.weight": (v, d)}
    for layer in range(c["num_hidden_layers"]):
        p = f"model.layers.{layer}."
        s[p + "input_layernorm.weight"] = (d,)
        s[p + "self_attn.qkv_proj.weight"] = ((c["num_attention_heads"] + 2 * c["num_key_value_heads"]) * width, d)
        s[p + "self_attn.o_proj.weight"] = (d, d)
        s[p + "post_attention_layernorm.weight"] = (d,)
        s[p + "mlp.gate_up_proj.weight"] = (2 * f, d)
        s[p + "mlp.down_proj.weight"] = (d, f)
    return s


def gpt2_shapes(c):
    d, f, v = c["n_embd"], c["n_inner"], c["vocab_size"]
    s = {"transformer.wte.weight": (v, d), "transformer.wpe.weight": (c["n_positions"], d)}
    for name in ["transformer.ln_f"] + [f"transformer.h.{layer}.{norm}" for layer in range(c["n_layer"]) for norm in ("ln_1", "ln_2")]:
        s[name + ".weight"], s[name + ".bias"] = (d,), (d,)
    for layer in range(c["n_layer"]):
        for module, inputs, outputs in (("attn.c_attn", d, 3 * d), ("attn.c_proj", d, d), ("mlp.c_fc", d, f), ("mlp.c_proj", f, d)):
            s[f"transformer.h.{layer}.{module}.weight"], s[f"transformer.h.{layer}.{module}.bias"] = (inputs, outputs), (outputs,)
    return s


def closed_form(name, number, shape):
    """value[i, j] = 0.3 cos(1 + 0.7 i + 0.3 j + 0.11 i j + 1.3 number), of the weights of norms 1 more; a vector has j = 0."""
    i = torch.arange(shape[0], dtype=DOUBLE)[:, None]
    j = torch.arange(shape[1] if len(shape) > 1 else 1, dtype=DOUBLE)[None]
    wave = 0.3 * torch.cos(1 + 0.7 * i + 0.3 * j + 0.11 * i * j + 1.3 * number)
    norm = name.endswith(("norm.weight", "ln_1.weight", "ln_2.weight", "ln_f.weight"))
    return ((1 + wave) if norm else wave).reshape(shape)


def adapters(modules, inputs, outputs):
    """A[i, j] = 0.05 cos(1 + 7 i + 3 j + 11 layer), B[i, j] = 0.03 sin(2 + 5 i + 3 j + 7 layer)."""
    def grid(rows, columns):
        return torch.arange(rows, dtype=DOUBLE)[:, None], torch.arange(columns, dtype=DOUBLE)[None]

    made = {}
    for layer, module in enumerate(modules):
        i, j = grid(RANK, inputs)
        a = 0.05 * torch.cos(1.0 + i * 7 + j * 3 + layer * 11)
        i, j = grid(outputs, RANK)
        made[module] = (a, 0.03 * torch.sin(2.0 + i * 5 + j * 3 + layer * 7))
    return made


def adapted(y, x, module, lora):
    if module not in lora:
        return y
    a, b = lora[module]
    return y + ALPHA / RANK * (x @ a.T) @ b.T


def causal_attention(q, k, v):
    """q, k, v: [batch, heads, tokens, width]."""
    tokens = q.shape[2]
    scores = q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1]) + torch.full((tokens, tokens), -math.inf, dtype=DOUBLE).triu(1)
    return F.softmax(scores, -1) @ v


def phi3(c, p, ids, lora):
    heads, shared = c["num_attention_heads"], c["num_key_value_heads"]
    width = c["hidden_size"] // heads
    batch, tokens = ids.shape

    def norm(x, name):
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + c["rms_norm_eps"]) * p[name + ".weight"]

    angle = torch.arange(tokens, dtype=DOUBLE)[:, None] * c["rope_theta"] ** (-torch.arange(0, width, 2, dtype=DOUBLE) / width)
    angle = torch.cat([angle, angle], -1)

    def rotate(x):
        half = torch.cat([-x[..., width // 2:], x[..., :width // 2]], -1)
        return x * angle.cos() + half * angle.sin()

    x = p["model.embed_tokens.weight"][ids]
    for layer in range(c["num_hidden_layers"]):
        m = f"model.layers.{layer}."
        n = norm(x, m + "input_layernorm")
        qkv = adapted(n @ p[m + "self_attn.qkv_proj.weight"].T, n, m + "self_attn.qkv_proj", lora)
        q, k, v = qkv.split([heads * width, shared * width, shared * width], -1)
        q, k, v = (t.reshape(batch, tokens, -1, width).transpose(1, 2) for t in (q, k, v))
        k, v = (t.repeat_interleave(heads // shared, 1) for t in (rotate(k), v))
        mixed = causal_attention(rotate(q), k, v).transpose(1, 2).reshape(batch, tokens, -1)
        x = x + mixed @ p[m + "self_attn.o_proj.weight"].T
        n = norm(x, m + "post_attention_layernorm")
        gate, up = (n @ p[m + "mlp.gate_up_proj.weight"].T).chunk(2, -1)
        x = x + (up * F.silu(gate)) @ p[m + "mlp.down_proj.weight"].T
    return norm(x, "model.norm") @ p["lm_head.weight"].T


def gpt2(c, p, ids, lora):
    heads, d = c["n_head"], c["n_embd"]
    batch, tokens = ids.shape

    def norm(x, name):
        return F.layer_norm(x, (d,), p[name + ".weight"], p[name + ".bias"], c["layer_norm_epsilon"])

    def conv1d(x, name):
        return adapted(x @ p[name + ".weight"] + p[name + ".bias"], x, name, lora)

    def gelu_new(x):
        return 0.5 * x * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x ** 3)))

    x = p["transformer.wte.weight"][ids] + p["transformer.wpe.weight"][:tokens]
    for layer in range(c["n_layer"]):
        m = f"transformer.h.{layer}."
        q, k, v = conv1d(norm(x, m + "ln_1"), m + "attn.c_attn").split(d, -1)
        q, k, v = (t.reshape(batch, tokens, heads, -1).transpose(1, 2) for t in (q, k, v))
        x = x + conv1d(causal_attention(q, k, v).transpose(1, 2).reshape(batch, tokens, d), m + "attn.c_proj")
        x = x + conv1d(gelu_new(conv1d(norm(x, m + "ln_2"), m + "mlp.c_fc")), m + "mlp.c_proj")
    return norm(x, "transformer.ln_f") @ p["transformer.wte.weight"].T


def numbers(tensor, count=None):
    return [float(v) for v in tensor.reshape(-1)[:count]]


def run(model, config, parameters, ids, targets, lora):
    leaves = {name: value.clone().requires_grad_() for name, value in parameters.items()}
    factors = {module: tuple(f.clone().requires_grad_() for f in pair) for module, pair in lora.items()}
    logits = model(config, leaves, ids, factors)
    loss = F.cross_entropy(logits.reshape(-1, logits.shape[-1]), targets.reshape(-1))
    loss.backward()
    return loss, logits, leaves, factors


def fixture(name, model, config, shapes, fused, inputs, outputs):
    parameters = {n: closed_form(n, number, shapes[n]) for number, n in enumerate(sorted(shapes))}
    tokens = torch.tensor([[(7 + 31 * t + 17 * b + 3 * t * t) % config["vocab_size"] for t in range(9)] for b in range(2)])
    ids, targets = tokens[:, :-1], tokens[:, 1:]
    loss, logits, leaves, _ = run(model, config, parameters, ids, targets, {})
    lora = adapters(fused, inputs, outputs)
    adapted_loss, adapted_logits, _, factors = run(model, config, parameters, ids, targets, lora)
    result = {
        "config": config, "inputs": ids.tolist(), "targets": targets.tolist(), "loss": loss.item(), "logits": [numbers(row) for row in logits.reshape(-1, config["vocab_size"])],
        "parameters": [
            {"name": n, "shape": list(shapes[n]), "norm": leaves[n].grad.norm().item(), "gradient": numbers(leaves[n].grad, 64)} for n in sorted(shapes)],
        "adapter": {
            "rank": RANK, "alpha": ALPHA, "modules": fused, "inputs": inputs, "outputs": outputs, "loss": adapted_loss.item(), "lastLogits": numbers(adapted_logits[-1, -1]),
            "gradients": [{"module": m, "aNorm": a.grad.norm().item(), "b": numbers(b.grad)} for m, (a, b) in factors.items()]}}
    with open(os.path.join(HERE, f"family-{name}.json"), "w") as file:
        file.write("{\n" + ",\n".join(f" {json.dumps(key)}: {json.dumps(value)}" for key, value in result.items()) + "\n}\n")
    print(name, loss.item(), adapted_loss.item())


if __name__ == "__main__":
    fixture("phi3", phi3, PHI3, phi3_shapes(PHI3), [f"model.layers.{i}.self_attn.qkv_proj" for i in range(2)], 24, 48)
    fixture("gpt2", gpt2, GPT2, gpt2_shapes(GPT2), [f"transformer.h.{i}.attn.c_attn" for i in range(2)], 24, 72)
