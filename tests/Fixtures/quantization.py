"""Writes quantization.json and bitsandbytes.safetensors: weights quantized by a second, independent implementation in numpy, bit for bit.

NF4 and double quantization follow bitsandbytes (kernels.cu, functional.py create_dynamic_map), Int4 the groups of QA-LoRA.
Usage: python3 tests/Fixtures/quantization.py      (Debian's python3-numpy)
"""
import base64
import json
import pathlib
from fractions import Fraction

import numpy as np

F = np.float32
CODEBOOK = np.array([
    -1.0, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453, -0.28444138169288635, -0.18477343022823334, -0.09105003625154495, 0.0,
    0.07958029955625534, 0.16093020141124725, 0.24611230194568634, 0.33791524171829224, 0.44070982933044434, 0.5626170039176941,
    0.7229568362236023, 1.0], F)


def literal(text):
    """What a C compiler makes of a float literal: the nearest float of the decimal, without rounding to double in between."""
    near = F(float(text))
    return min([near, np.nextafter(near, F(-2)), np.nextafter(near, F(2))], key=lambda x: abs(Fraction(float(x)) - Fraction(text)))


THRESHOLDS = np.array([literal(text) for text in """
    -0.8480964004993439 -0.6106329262256622 -0.4599952697753906 -0.33967943489551544 -0.23460740596055984 -0.13791173323988914
    -0.045525018125772476 0.03979014977812767 0.1202552504837513 0.2035212516784668 0.2920137718319893 0.3893125355243683
    0.5016634166240692 0.6427869200706482 0.8614784181118011""".split()], F)


def dynamic_map():
    """create_dynamic_map(signed=True): midpoints of 2^i intervals of [0.1, 1], times 10^(i - 6), both signs; 0; 1."""
    values = [0.0, 1.0]
    for i in range(7):
        borders = np.linspace(0.1, 1, 2 ** i + 1)
        means = (borders[:-1] + borders[1:]) / 2 * 10.0 ** (i - 6)
        values += list(means) + list(-means)
    return np.sort(np.array(values)).astype(F)


MAP = dynamic_map()


def nearest(x):
    """Index of the nearest value of the map by trying all; argmin takes the lower of two."""
    return np.argmin(np.abs(x.astype(np.float64)[:, None] - MAP.astype(np.float64)[None, :]), axis=1).astype(np.uint8)


def blocks_of(w, size):
    return [w[i:i + size] for i in range(0, len(w), size)]


def pack(codes, filler):
    codes = list(codes) + [filler] * (len(codes) % 2)
    return np.array([high << 4 | low for high, low in zip(codes[::2], codes[1::2])], np.uint8)


def nest(absmax):
    mean = F(np.mean(absmax.astype(np.float64)))
    codes, factors = [], []
    for group in blocks_of(absmax - mean, 256):
        most = np.max(np.abs(group))
        codes.append(nearest(group * (F(1) / most if most >= F(1e-38) else F(0))))
        factors.append(most)
    codes = np.concatenate(codes)
    factors = np.array(factors, F)
    decoded = MAP[codes] * np.repeat(factors, 256)[:len(codes)] + mean
    return {"factors": codes, "nested": factors, "mean": np.array([mean], F)}, decoded.astype(F)


def nf4(w, size, nested):
    absmax = np.array([np.max(np.abs(b)) for b in blocks_of(w, size)], F)
    codes = []
    for block, most in zip(blocks_of(w, size), absmax):
        v = block * (F(1) / most if most >= F(1e-38) else F(0))
        codes.append((v[:, None] > THRESHOLDS[None, :]).sum(axis=1))
    codes = np.concatenate(codes)
    parts = {"codes": pack(codes, 7), "factors": absmax}
    if nested:
        more, absmax = nest(absmax)
        parts.update(more)
    return parts, CODEBOOK[codes] * np.repeat(absmax, size)[:len(w)]


def int8(w, size):
    absmax = np.array([np.max(np.abs(b)) for b in blocks_of(w, size)], F)
    each = np.repeat(absmax, size)[:len(w)]
    codes = np.rint(w.astype(np.float64) * np.where(each > 0, 127 / np.maximum(each.astype(np.float64), 1e-300), 0)).astype(np.int8)
    return {"codes": codes.view(np.uint8), "factors": absmax}, codes.astype(F) * (each / F(127))


def int4(w, size):
    codes, scales, zeros = [], [], []
    for block in blocks_of(w.astype(np.float64), size):
        scale = F((block.max() - block.min()) / 15)
        if scale < np.finfo(F).tiny:
            scale, zero, code = F(1), F(0 - (block.min() + block.max()) / 2), np.zeros(len(block))
        else:
            zero = F(-block.min() / np.float64(scale))
            code = np.clip(np.rint(block / np.float64(scale) + np.float64(zero)), 0, 15)
        codes.append(code.astype(np.int64))
        scales.append(scale)
        zeros.append(zero)
    codes, scales, zeros = np.concatenate(codes), np.array(scales, F), np.array(zeros, F)
    decoded = (codes.astype(F) - np.repeat(zeros, size)[:len(w)]) * np.repeat(scales, size)[:len(w)]
    return {"codes": pack(codes, 0), "factors": scales, "zeros": zeros}, decoded


def special(size):
    """Blocks where rounding is decided: equal, zero, below and just above 1e-38, huge, at every threshold, at every code; a short last one."""
    random = np.random.RandomState(5)
    noise = (random.rand(size) * 2 - 1).astype(F)
    near = np.concatenate([THRESHOLDS, np.nextafter(THRESHOLDS, F(2))])
    blocks = [
        np.zeros(size, F), np.full(size, 0.3, F), np.full(size, -2.5, F), np.where(noise > 0, F(0.0), F(-0.0)),
        noise * F(5e-39), np.concatenate([[F(1.1e-38)], noise[1:] * F(1e-38)]), noise * F(3e38), noise * F(1e-30), np.append(F(7), noise[1:]),
        np.concatenate([near, np.ones(size - len(near), F)]), np.concatenate([CODEBOOK * F(0.37), CODEBOOK[::-1] * F(0.37), np.zeros(size - 32, F)]),
        noise[:size - 3] * F(0.02),
    ]
    return np.concatenate(blocks).astype(F)


def state(size, rows, columns, parts):
    """QuantState.as_dict(packed=True): what is no tensor goes into one as JSON."""
    values = {"quant_type": "nf4", "blocksize": size, "dtype": "bfloat16", "shape": [rows, columns]}
    if "nested" in parts:
        values.update({"nested_blocksize": 256, "nested_dtype": "float32", "nested_offset": parts["mean"][0].item()})
    return np.frombuffer(json.dumps(values).encode(), np.uint8)


def tensors(name, size, nested, rows, columns, w):
    """The tensors of one weight in bitsandbytes' form."""
    parts, _ = nf4(w, size, nested)
    result = {"": parts["codes"].reshape(-1, 1), ".absmax": parts["factors"], ".quant_map": CODEBOOK,
              ".quant_state.bitsandbytes__nf4": state(size, rows, columns, parts)}
    if nested:
        result.update({".nested_absmax": parts["nested"], ".nested_quant_map": MAP})
    return {name + suffix: part for suffix, part in result.items()}


def write_safetensors(path, named):
    """As the safetensors library writes: wider types first, then by name; a header padded to 8 bytes."""
    types = {np.dtype(np.uint8): "U8", np.dtype(np.float32): "F32"}
    header, data = {"__metadata__": {"format": "pt"}}, b""
    for name, part in sorted(named.items(), key=lambda item: (-item[1].itemsize, item[0])):
        header[name] = {"dtype": types[part.dtype], "shape": list(part.shape), "data_offsets": [len(data), len(data) + part.nbytes]}
        data += part.tobytes()
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(len(text).to_bytes(8, "little") + text + data)


def text(values):
    return base64.b64encode(np.ascontiguousarray(values).tobytes()).decode()


def main():
    random = np.random.RandomState(1)
    normal = lambda n: random.randn(n).astype(F)
    magnitudes = np.repeat(np.exp(random.randn(262)), 32)[:93 * 89].astype(F)
    cases = [
        ("NF4", 64, False, 13, 21, normal(273)),
        ("NF4", 32, False, 1, 12 * 32 - 3, special(32)),
        ("NF4", 64, True, 13, 21, normal(273)),
        ("NF4", 32, True, 1, 12 * 32 - 3, special(32) * F(1e-3)),
        ("NF4", 32, True, 93, 89, normal(93 * 89) * magnitudes),
        ("NF4", 32, True, 4, 32, np.full(128, 0.25, F)),
        ("Int8", 64, False, 13, 21, normal(273)),
        ("Int8", 32, False, 1, 12 * 32 - 3, special(32)),
        ("Int4", 64, False, 5, 128, normal(640)),
        ("Int4", 32, False, 1, 12 * 32 - 3, special(32)),
    ]
    lines = []
    for kind, size, nested, rows, columns, w in cases:
        assert len(w) == rows * columns
        parts, decoded = nf4(w, size, nested) if kind == "NF4" else int8(w, size) if kind == "Int8" else int4(w, size)
        case = {"kind": kind, "blockSize": size, "nested": nested, "rows": rows, "columns": columns, "values": text(w),
                "parts": {name: text(part) for name, part in parts.items()}, "decoded": text(decoded.astype(F))}
        lines.append(json.dumps(case))
    pathlib.Path(__file__).with_name("quantization.json").write_text('{"cases": [\n' + ",\n".join(lines) + "\n]}\n")
    named = tensors("model.layers.0.mlp.up_proj.weight", 64, False, 13, 21, cases[0][5])
    named.update(tensors("model.layers.0.mlp.down_proj.weight", 32, True, 93, 89, cases[4][5]))
    write_safetensors(pathlib.Path(__file__).with_name("bitsandbytes.safetensors"), named)


if __name__ == "__main__":
    main()
