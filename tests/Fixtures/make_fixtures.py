#!/usr/bin/python3
"""Writes the JSON fixtures of this folder with PyTorch in float64.  Usage: make_fixtures.py DATA_FOLDER

DATA_FOLDER holds models/stories260K (model.safetensors, config.json, lora_reference.json). The result is the same
on every run; README.md says what each file is.
"""
import json
import math
import os
import struct
import sys

import torch

from closed_form_model import DEFAULTS, DOUBLE, Model, closed_form_parameters, low_rank_a, low_rank_b, mean_loss

HERE = os.path.dirname(os.path.abspath(__file__))
OFFSETS = dict(q_proj=0, k_proj=3, v_proj=5, o_proj=7, gate_proj=2, up_proj=4, down_proj=6)
GROUPS = dict(q_proj="self_attn", k_proj="self_attn", v_proj="self_attn", o_proj="self_attn",
              gate_proj="mlp", up_proj="mlp", down_proj="mlp")


def write(name, value):
    """JSON with one entry of every list of objects a line, so that a difference can be read."""
    lines = []
    for key, item in value.items():
        if isinstance(item, list) and item and isinstance(item[0], dict):
            rows = ",\n".join("  " + json.dumps(x, allow_nan=False) for x in item)
            lines.append(f"{json.dumps(key)}: [\n{rows}\n ]")
        else:
            lines.append(f"{json.dumps(key)}: {json.dumps(item, allow_nan=False)}")
    path = os.path.join(HERE, name)
    with open(path, "w", encoding="utf-8", newline="\n") as file:
        file.write("{\n " + ",\n ".join(lines) + "\n}\n")
    print(f"{name}: {os.path.getsize(path):,} bytes")


def tokens(batch, length, vocabulary):
    """token[b, t] = (7 + 31 t + 17 b + 3 t t) mod vocabulary."""
    return [[(7 + 31 * t + 17 * b + 3 * t * t) % vocabulary for t in range(length)] for b in range(batch)]


def read_safetensors(path):
    with open(path, "rb") as file:
        data = file.read()
    length, = struct.unpack("<Q", data[:8])
    header = json.loads(data[8:8 + length])
    header.pop("__metadata__", None)
    result = {}
    for name, entry in header.items():
        begin, end = (8 + length + x for x in entry["data_offsets"])
        values = torch.frombuffer(bytearray(data[begin:end]), dtype=torch.float32)
        result[name] = values.reshape(entry["shape"]).to(DOUBLE)
    return result


def numbers(tensor):
    return tensor.detach().flatten().tolist()


def gradient_entry(name, tensor, first, whole):
    entry = dict(name=name, shape=list(tensor.shape), firstValues=numbers(tensor)[:4],
                 norm=float(tensor.grad.norm()), first=numbers(tensor.grad)[:first])
    if whole:
        entry["gradient"] = numbers(tensor.grad)
    return entry


def closed_form_fixture(name, whole=False, masked=False, **changes):
    c = {**DEFAULTS, **changes}
    p = {k: v.requires_grad_() for k, v in closed_form_parameters(c).items()}
    rows = tokens(2, 12, c["vocabulary"])
    inputs, targets = [row[:-1] for row in rows], [row[1:] for row in rows]
    if masked:
        targets = [[-100 if (t + 2 * b) % 3 == 0 else x for t, x in enumerate(row)] for b, row in enumerate(targets)]
    logits = Model(c, p)(torch.tensor(inputs))
    loss = mean_loss(logits, torch.tensor(targets))
    loss.backward()
    write(f"closed-form-{name}.json", dict(
        name=name, model=c, inputs=inputs, targets=targets, loss=float(loss),
        logits=[numbers(row) for row in logits.detach().flatten(0, 1)],
        parameters=[gradient_entry(k, p[k], 4, whole) for k in sorted(p)]))


def stories(folder):
    with open(os.path.join(folder, "config.json"), encoding="utf-8") as file:
        config = json.load(file)
    c = {**DEFAULTS, **dict(
        vocabulary=config["vocab_size"], width=config["hidden_size"], context=config["max_position_embeddings"],
        layers=config["num_hidden_layers"], heads=config["num_attention_heads"],
        keyValueHeads=config["num_key_value_heads"], headWidth=config["hidden_size"] // config["num_attention_heads"],
        hidden=config["intermediate_size"], epsilon=config["rms_norm_eps"], tied=config["tie_word_embeddings"],
        rotaryTheta=config["rope_theta"], rotaryWidth=config["hidden_size"] // config["num_attention_heads"])}
    return c, read_safetensors(os.path.join(folder, "model.safetensors"))


def adapters(c, p, targets, rank, zero_b=False):
    result = {}
    for layer in range(c["layers"]):
        for target in targets:
            module = f"model.layers.{layer}.{GROUPS[target]}.{target}"
            outputs, inputs = p[module + ".weight"].shape
            a = low_rank_a(rank, inputs, layer, OFFSETS[target])
            b = low_rank_b(outputs, rank, layer, OFFSETS[target])
            result[module] = (a.requires_grad_(), (b * 0 if zero_b else b).requires_grad_())
    return result


def named(adapter):
    return {f"{module}.lora_{'AB'[k]}.weight": pair[k] for module, pair in adapter.items() for k in (0, 1)}


def check_against_existing_reference(c, p, folder):
    """The model above must reproduce the reference run that ships with the weights; otherwise nothing is written."""
    with open(os.path.join(folder, "lora_reference.json"), encoding="utf-8") as file:
        reference = json.load(file)
    rows = torch.tensor(reference["rows"])
    pairs = adapters(c, p, ["q_proj", "v_proj"], 4, zero_b=True)
    loss = mean_loss(Model(c, p, pairs, 8 / 4)(rows[:, :-1]), rows[:, 1:])
    loss.backward()
    assert abs(float(loss) - reference["base_loss"]) < 1e-9, (float(loss), reference["base_loss"])
    for module, (_, b) in pairs.items():
        parts = module.split(".")
        expected = reference["lora"]["first_step_grad_l2"][f"{parts[2]}.{parts[4]}.B"]
        assert abs(float(b.grad.norm()) - expected) < 1e-9 * max(1, expected), (module, float(b.grad.norm()), expected)


def lora_fixture(name, c, p, targets, stabilized, whole, first, steps, optimizer=None):
    rank, alpha = 4, 8
    scale = alpha / math.sqrt(rank) if stabilized else alpha / rank
    rows = tokens(2, 25, c["vocabulary"])
    inputs, targets_ids = [row[:-1] for row in rows], [row[1:] for row in rows]
    x, y = torch.tensor(inputs), torch.tensor(targets_ids)
    pairs = adapters(c, p, targets, rank)
    parameters = named(pairs)
    loss = mean_loss(Model(c, p, pairs, scale)(x), y)
    loss.backward()
    value = dict(name=name, rank=rank, alpha=alpha, rankStabilized=stabilized, scale=scale, targets=targets,
                 offsets={t: OFFSETS[t] for t in targets}, inputs=inputs, targetIds=targets_ids, loss=float(loss),
                 parameters=[gradient_entry(k, parameters[k], first, whole) for k in sorted(parameters)])
    if steps:
        value["run"] = training_run(c, p, pairs, scale, x, y, steps, **optimizer)
    write(f"{name}.json", value)


def training_run(c, p, pairs, scale, x, y, steps, peak, decay, clip, warmup, horizon):
    parameters = named(pairs)
    optimizer = torch.optim.AdamW(parameters.values(), lr=peak, betas=(0.9, 0.999), eps=1e-8, weight_decay=decay)
    rates, losses, norms = [], [], []
    for n in range(1, steps + 1):
        progress = (n - warmup) / (horizon - warmup)
        rate = peak * n / warmup if n <= warmup else peak * 0.5 * (1 + math.cos(math.pi * progress))
        optimizer.param_groups[0]["lr"] = rate
        optimizer.zero_grad()
        loss = mean_loss(Model(c, p, pairs, scale)(x), y)
        loss.backward()
        losses.append(float(loss))
        norms.append(float(torch.nn.utils.clip_grad_norm_(list(parameters.values()), clip)))
        rates.append(rate)
        optimizer.step()
    losses.append(float(mean_loss(Model(c, p, pairs, scale)(x), y)))
    return dict(steps=steps, peakRate=peak, betas=[0.9, 0.999], epsilon=1e-8, weightDecay=decay, clip=clip,
                warmup=warmup, horizon=horizon, rates=rates, losses=losses, gradientNorms=norms,
                endNorms={k: float(parameters[k].detach().norm()) for k in sorted(parameters)})


def main():
    torch.set_num_threads(1)
    folder = os.path.join(sys.argv[1], "models", "stories260K")
    c, p = stories(folder)
    check_against_existing_reference(c, p, folder)
    lora_fixture("stories260K-lora-qv", c, p, ["q_proj", "v_proj"], False, True, 8, 0)
    lora_fixture("stories260K-lora-all", c, p, list(OFFSETS), True, False, 8, 5,
                 dict(peak=5e-3, decay=0.1, clip=1.0, warmup=2, horizon=8))

    gpt2 = dict(norm="layer", feedForward="gelu", rotaryWidth=0, learnedPositions=True, attentionBias=True,
                outputBias=True, feedForwardBias=True)
    grouped = dict(heads=4, keyValueHeads=2, headWidth=6, rotaryWidth=6)
    closed_form_fixture("gpt2", whole=True, **gpt2)
    closed_form_fixture("grouped-tied", tied=True, **grouped)
    closed_form_fixture("untied", masked=True)
    closed_form_fixture("parallel", parallel=True, **grouped)
    closed_form_fixture("post-norm", postNorm=True)
    closed_form_fixture("partial-rotary", rotaryWidth=4, rotaryTheta=500.0)
    closed_form_fixture("geglu-scaled-embedding", tied=True, feedForward="geglu", embeddingScale=math.sqrt(24))
    closed_form_fixture("attention-bias", attentionBias=True, **grouped)
    closed_form_fixture("soft-cap", softCap=1.5, headBias=True)
    closed_form_fixture("layer-scale", layerScale=True)
    closed_form_fixture("head-width", heads=5, keyValueHeads=1, headWidth=4, rotaryWidth=4)
    closed_form_fixture("query-key-norm", queryKeyNorm=True, **grouped)
    closed_form_fixture("scaled-rotary", llama3Scaling=[8.0, 1.0, 4.0, 128])
    closed_form_fixture("combined", parallel=True, layerScale=True, norm="layer", feedForward="geglu",
                        feedForwardBias=True, attentionBias=True, outputBias=True, softCap=2.0, tied=True,
                        heads=4, keyValueHeads=1, headWidth=6, rotaryWidth=4, embeddingScale=2.0, layers=3)


if __name__ == "__main__":
    main()
