"""Writes singular-values.json: singular values and vectors of small matrices by numpy.linalg.svd (LAPACK's dgesdd).

Matrices are float32, so that both sides decompose the same; those too large to store have a formula,
and vectors of nearly equal values are not compared. Left vectors have their element of greatest magnitude positive.
Usage: python3 tests/Fixtures/singular_values.py      (Debian's python3-numpy)
"""
import base64
import json
import pathlib

import numpy as np


def text(values, kind):
    return base64.b64encode(np.ascontiguousarray(values, kind).tobytes()).decode()


def cauchy(m, n):
    """A matrix whose singular values fall fast, by a formula that rounds the same everywhere."""
    i, j = np.indices((m, n))
    return 4 / (4 + i + 4.0 * j)


def modular(m, n):
    """A matrix whose singular values are nearly equal but for the first, in whole numbers."""
    i, j = np.indices((m, n))
    return (i * i * i + 31 * i * j + 17 * j * j * j) % 211


def main():
    random = np.random.RandomState(1)
    hilbert = 1 / (np.arange(12)[:, None] + np.arange(9)[None, :] + 1)
    deficient = random.randn(14, 4) @ random.randn(4, 17)
    cases = [
        ("tall", random.randn(13, 7), 7), ("wide", random.randn(5, 19), 5), ("square", random.randn(16, 16), 9), ("row", random.randn(1, 9), 1),
        ("column", random.randn(9, 1), 1), ("Hilbert", hilbert, 5), ("of rank 4", deficient, 4), ("small", random.randn(6, 8) * 1e-30, 6),
        ("huge", random.randn(8, 6) * 1e30, 6), ("Cauchy", cauchy(180, 150), 6), ("Cauchy", cauchy(140, 170), 5),
        ("modular", modular(200, 190), 24), ("modular", modular(150, 260), 40),
    ]
    lines = []
    for name, matrix, rank in cases:
        matrix = matrix.astype(np.float32)
        u, s, vt = np.linalg.svd(matrix.astype(np.float64), full_matrices=False)
        u, s, vt = u[:, :rank], s[:rank], vt[:rank]
        signs = np.sign(u[np.argmax(np.abs(u), axis=0), np.arange(rank)])
        formula, near = name in ("Cauchy", "modular"), name == "modular"
        lines.append(json.dumps({
            "name": name, "rows": matrix.shape[0], "columns": matrix.shape[1], "rank": rank, "matrix": None if formula else text(matrix, np.float32),
            "u": None if near else text(u * signs, np.float64), "values": text(s, np.float64), "vt": None if near else text(vt * signs[:, None], np.float64)}))
    pathlib.Path(__file__).with_name("singular-values.json").write_text('{"cases": [\n' + ",\n".join(lines) + "\n]}\n")


if __name__ == "__main__":
    main()
