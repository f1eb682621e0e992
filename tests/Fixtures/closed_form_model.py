"""A decoder-only transformer in PyTorch, float64, written for clarity: the independent opinion behind the fixtures.

Everything is deterministic. Parameters come either from a dictionary of tensors or from the closed form below.
"""
import math

import torch

F = torch.nn.functional
DOUBLE = torch.float64

DEFAULTS = dict(
    vocabulary=29, width=24, context=16, layers=2, heads=3, keyValueHeads=3, headWidth=8, hidden=40,
    norm="rms", epsilon=1e-5, feedForward="swiglu", tied=False, parallel=False, postNorm=False,
    rotaryTheta=10000.0, rotaryWidth=8, learnedPositions=False, attentionBias=False, outputBias=False,
    feedForwardBias=False, headBias=False, embeddingScale=1.0, softCap=0.0, layerScale=False,
    queryKeyNorm=False, llama3Scaling=None)


def shapes(c):
    """Name -> shape of every parameter of a description."""
    d, f, v = c["width"], c["hidden"], c["vocabulary"]
    q, kv = c["heads"] * c["headWidth"], c["keyValueHeads"] * c["headWidth"]
    s = {"model.embed_tokens.weight": (v, d)}
    if c["learnedPositions"]:
        s["model.embed_positions.weight"] = (c["context"], d)

    def norm(name):
        s[name + ".weight"] = (d,)
        if c["norm"] == "layer":
            s[name + ".bias"] = (d,)

    def linear(name, outputs, inputs, bias):
        s[name + ".weight"] = (outputs, inputs)
        if bias:
            s[name + ".bias"] = (outputs,)

    for layer in range(c["layers"]):
        p = f"model.layers.{layer}."
        norm(p + "input_layernorm")
        linear(p + "self_attn.q_proj", q, d, c["attentionBias"])
        linear(p + "self_attn.k_proj", kv, d, c["attentionBias"])
        linear(p + "self_attn.v_proj", kv, d, c["attentionBias"])
        linear(p + "self_attn.o_proj", d, q, c["outputBias"])
        if c["queryKeyNorm"]:
            s[p + "self_attn.q_norm.weight"] = (c["headWidth"],)
            s[p + "self_attn.k_norm.weight"] = (c["headWidth"],)
        norm(p + "post_attention_layernorm")
        if c["feedForward"] != "gelu":
            linear(p + "mlp.gate_proj", f, d, c["feedForwardBias"])
        linear(p + "mlp.up_proj", f, d, c["feedForwardBias"])
        linear(p + "mlp.down_proj", d, f, c["feedForwardBias"])
        if c["layerScale"]:
            s[p + "self_attn.layer_scale"] = (d,)
            s[p + "mlp.layer_scale"] = (d,)
    norm("model.norm")
    if not c["tied"]:
        s["lm_head.weight"] = (v, d)
    if c["headBias"]:
        s["lm_head.bias"] = (v,)
    return s


def is_centered_on_one(name):
    """Norm weights and layer scales are 1 + the wave; everything else is the wave."""
    return name.endswith(".layer_scale") or (name.endswith("norm.weight"))


def closed_form(name, number, shape):
    """value[i, j] = 0.3 cos(1 + 0.7 i + 0.3 j + 0.11 i j + 1.3 number); a vector has j = 0."""
    i = torch.arange(shape[0], dtype=DOUBLE)[:, None]
    j = torch.arange(shape[1] if len(shape) > 1 else 1, dtype=DOUBLE)[None]
    wave = 0.3 * torch.cos(1 + 0.7 * i + 0.3 * j + 0.11 * i * j + 1.3 * number)
    return ((1 + wave) if is_centered_on_one(name) else wave).reshape(shape)


def closed_form_parameters(c):
    """Every parameter by the closed form; its number is its place among the names in ordinal order, from 0."""
    s = shapes(c)
    return {name: closed_form(name, number, s[name]) for number, name in enumerate(sorted(s))}


def low_rank_a(rank, inputs, layer, offset):
    i, j = torch.arange(rank, dtype=DOUBLE)[:, None], torch.arange(inputs, dtype=DOUBLE)[None]
    return 0.05 * torch.cos(1.0 + i * 7 + j * 3 + layer * 11 + offset)


def low_rank_b(outputs, rank, layer, offset):
    i, j = torch.arange(outputs, dtype=DOUBLE)[:, None], torch.arange(rank, dtype=DOUBLE)[None]
    return 0.03 * torch.sin(2.0 + i * 5 + j * 3 + layer * 7 + offset)


class Model:
    """Forward pass of a description `c` over parameters `p`, with LoRA adapters {module: (A, B)} at scale `s`."""

    def __init__(self, c, p, adapters=None, scale=0.0):
        self.c, self.p, self.adapters, self.scale = c, p, adapters or {}, scale

    def linear(self, x, module):
        y = F.linear(x, self.p[module + ".weight"], self.p.get(module + ".bias"))
        if module in self.adapters:
            a, b = self.adapters[module]
            y = y + self.scale * F.linear(F.linear(x, a), b)
        return y

    def norm(self, x, module):
        weight, epsilon = self.p[module + ".weight"], self.c["epsilon"]
        if self.c["norm"] == "layer":
            x = x - x.mean(-1, keepdim=True)
            return x / torch.sqrt((x * x).mean(-1, keepdim=True) + epsilon) * weight + self.p[module + ".bias"]
        return x / torch.sqrt((x * x).mean(-1, keepdim=True) + epsilon) * weight

    def rotate(self, x):
        """Half-split rotation of the leading rotaryWidth channels of each head; x is [batch, heads, tokens, head width]."""
        width = self.c["rotaryWidth"]
        if width == 0:
            return x
        frequency = self.c["rotaryTheta"] ** (-torch.arange(0, width, 2, dtype=DOUBLE) / width)
        if self.c["llama3Scaling"]:
            frequency = llama3_scaled(frequency, *self.c["llama3Scaling"])
        angle = torch.arange(x.shape[2], dtype=DOUBLE)[:, None] * frequency
        cos, sin = angle.cos(), angle.sin()
        first, second, rest = x[..., :width // 2], x[..., width // 2:width], x[..., width:]
        return torch.cat([first * cos - second * sin, second * cos + first * sin, rest], -1)

    def attention(self, x, module):
        c = self.c
        batch, tokens, _ = x.shape

        def heads(name, count):
            return self.linear(x, f"{module}.{name}").view(batch, tokens, count, c["headWidth"]).transpose(1, 2)

        q, k = heads("q_proj", c["heads"]), heads("k_proj", c["keyValueHeads"])
        if c["queryKeyNorm"]:
            q, k = self.norm(q, module + ".q_norm"), self.norm(k, module + ".k_norm")
        q, k = self.rotate(q), self.rotate(k)
        v = heads("v_proj", c["keyValueHeads"])
        group = c["heads"] // c["keyValueHeads"]
        k, v = k.repeat_interleave(group, 1), v.repeat_interleave(group, 1)
        mask = torch.full((tokens, tokens), -math.inf, dtype=DOUBLE).triu(1)
        scores = q @ k.transpose(-1, -2) / math.sqrt(c["headWidth"]) + mask
        mixed = (torch.softmax(scores, -1) @ v).transpose(1, 2).reshape(batch, tokens, -1)
        return self.scaled(self.linear(mixed, module + ".o_proj"), module)

    def feed_forward(self, x, module):
        up = self.linear(x, module + ".up_proj")
        if self.c["feedForward"] == "gelu":
            hidden = gelu_tanh(up)
        else:
            gate = self.linear(x, module + ".gate_proj")
            hidden = (F.silu(gate) if self.c["feedForward"] == "swiglu" else gelu_tanh(gate)) * up
        return self.scaled(self.linear(hidden, module + ".down_proj"), module)

    def scaled(self, x, module):
        return x * self.p[module + ".layer_scale"] if self.c["layerScale"] else x

    def __call__(self, inputs):
        c = self.c
        x = self.p["model.embed_tokens.weight"][inputs] * c["embeddingScale"]
        if c["learnedPositions"]:
            x = x + self.p["model.embed_positions.weight"][:inputs.shape[1]]
        for layer in range(c["layers"]):
            p = f"model.layers.{layer}."
            norm1, norm2 = p + "input_layernorm", p + "post_attention_layernorm"
            attention, mlp = p + "self_attn", p + "mlp"
            if c["postNorm"]:
                x = self.norm(x + self.attention(x, attention), norm1)
                x = self.norm(x + self.feed_forward(x, mlp), norm2)
            elif c["parallel"]:
                x = x + self.attention(self.norm(x, norm1), attention) + self.feed_forward(self.norm(x, norm2), mlp)
            else:
                x = x + self.attention(self.norm(x, norm1), attention)
                x = x + self.feed_forward(self.norm(x, norm2), mlp)
        head = self.p["model.embed_tokens.weight" if c["tied"] else "lm_head.weight"]
        logits = F.linear(self.norm(x, "model.norm"), head, self.p.get("lm_head.bias"))
        return c["softCap"] * torch.tanh(logits / c["softCap"]) if c["softCap"] else logits


def llama3_scaled(frequency, factor, low, high, original):
    """Wavelengths over original / low are stretched by the factor, those under original / high stay, and those between are mixed."""
    wavelength = 2 * math.pi / frequency
    mix = (original / wavelength - low) / (high - low)
    mixed = (1 - mix) * frequency / factor + mix * frequency
    long, short = wavelength > original / low, wavelength < original / high
    return torch.where(long, frequency / factor, torch.where(short, frequency, mixed))


def gelu_tanh(x):
    return 0.5 * x * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x ** 3)))


def mean_loss(logits, targets):
    """Mean cross-entropy over the targets that are not -100."""
    return F.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=-100)
