#!/usr/bin/python3
"""One LoRA training step of a 28M-parameter Llama in PyTorch 1.13.1 on two cores, written to be fast: the peer of our benchmark.

Run it with OPENBLAS_CORETYPE=SkylakeX OPENBLAS_NUM_THREADS=2 (README.md has the whole command). The backward pass is
written by hand: no gradient of frozen weights, nothing saved twice, buffers made once and reused, LoRA as extra columns
of the frozen product ([x | x Aᵀ] [W | s B]ᵀ), logits in chunks whose gradient replaces them.
`--check` compares loss and adapter gradients with plain autograd in float64.
"""
import argparse
import json
import math
import statistics
import time
from concurrent.futures import ThreadPoolExecutor

import torch

WIDTH, LAYERS, HEADS, HIDDEN, VOCABULARY, RANK = 512, 8, 8, 1408, 4096, 8
HEAD = WIDTH // HEADS
SCALE, EPSILON, RATE = 2.0, 1e-5, 1e-4


class Linear:
    """Frozen projections that read the same input, stacked, each with its adapter.

    `extended` is [W | s B]: the last columns hold s B of each projection, in that projection's rows only.
    """

    def __init__(self, inputs, outputs):
        self.inputs, self.outputs = inputs, outputs
        self.columns = RANK * len(outputs)
        self.extended = torch.zeros(sum(outputs), inputs + self.columns)
        self.extended[:, :inputs].normal_(0, 0.02)

    def parameters(self):
        return self.columns * self.inputs + sum(self.outputs) * RANK

    def views(self, flat):
        """A (all stacked) and B (all stacked) in a flat tensor of all adapters."""
        a, b = flat[self.begin:self.begin + self.parameters()].split([self.columns * self.inputs, sum(self.outputs) * RANK])
        return a.view(self.columns, self.inputs), b.view(-1, RANK)

    def attach(self, flat, begin):
        """Takes its adapters from the flat tensor, first values and all; returns where the next begins."""
        self.begin = begin
        self.a, self.b = self.views(flat)
        bound = 1 / math.sqrt(self.inputs)
        self.a.uniform_(-bound, bound)
        self.b.normal_(0, 0.02)
        return begin + self.parameters()

    def rows_and_columns(self):
        """Rows and extra columns of each projection."""
        row = 0
        for k, rows in enumerate(self.outputs):
            column = self.inputs + k * RANK
            yield slice(row, row + rows), slice(column, column + RANK)
            row += rows

    def refresh(self):
        """Puts this step's s B into the extra columns."""
        for rows, columns in self.rows_and_columns():
            torch.mul(self.b[rows], SCALE, out=self.extended[rows, columns])


class Slot:
    """A linear as one worker sees it: shared weights, gradients of its own."""

    def __init__(self, linear, gradients):
        self.linear = linear
        self.a_gradient, self.b_gradient = linear.views(gradients)
        self.parts = list(linear.rows_and_columns())

    def forward(self, x, out, plus=None):
        """out = plus + x Wᵀ + s x Aᵀ Bᵀ; x is [tokens, inputs + columns] whose last columns are filled here."""
        n = self.linear
        torch.mm(x[:, :n.inputs], n.a.t(), out=x[:, n.inputs:])
        if plus is None:
            torch.mm(x, n.extended.t(), out=out)
        else:
            torch.addmm(plus, x, n.extended.t(), out=out)

    def backward(self, dy, x, dx):
        """dA, dB of the step; returns dx[:, :inputs] = dy W + s dy B A; the last columns of dx are s dy B."""
        n = self.linear
        torch.mm(dy, n.extended, out=dx)
        down = dx[:, n.inputs:]
        torch.mm(down.t(), x[:, :n.inputs], out=self.a_gradient)
        for rows, columns in self.parts:
            gradient = self.b_gradient[rows]
            torch.addmm(gradient, dy[:, rows].t(), x[:, columns], beta=0, alpha=SCALE, out=gradient)
        return dx[:, :n.inputs].addmm_(down, n.a)


class Block:
    """Weights of one block."""

    def __init__(self):
        self.norm1, self.norm2 = torch.ones(WIDTH), torch.ones(WIDTH)
        self.qkv = Linear(WIDTH, [WIDTH] * 3)
        self.output = Linear(WIDTH, [WIDTH])
        self.gate_up = Linear(WIDTH, [HIDDEN] * 2)
        self.down = Linear(HIDDEN, [WIDTH])
        self.linears = [self.qkv, self.output, self.gate_up, self.down]


class Weights:
    """All weights, shared by the workers; the adapters are one flat parameter."""

    def __init__(self):
        torch.manual_seed(1)
        self.embedding = torch.empty(VOCABULARY, WIDTH).normal_(0, 0.02)
        self.blocks = [Block() for _ in range(LAYERS)]
        self.norm = torch.ones(WIDTH)
        self.linears = [x for block in self.blocks for x in block.linears]
        count = sum(x.parameters() for x in self.linears)
        self.adapters = torch.nn.Parameter(torch.empty(count))
        self.adapters.grad = torch.zeros(count)
        at = 0
        for x in self.linears:
            at = x.attach(self.adapters.data, at)

    def frozen(self):
        linears = sum(sum(x.outputs) * x.inputs for x in self.linears)
        return self.embedding.numel() + linears + WIDTH * (2 * LAYERS + 1)

    def refresh(self):
        for x in self.linears:
            x.refresh()


class Layer:
    """A block as one worker sees it, and what its forward pass keeps."""

    def __init__(self, block, gradients, batch, sequence, query_blocks):
        tokens, heads = batch * sequence, batch * HEADS
        self.norm1, self.norm2 = block.norm1, block.norm2
        self.qkv, self.output, self.gate_up, self.down = (Slot(x, gradients) for x in block.linears)
        self.input, self.middle = torch.empty(tokens, WIDTH), torch.empty(tokens, WIDTH)
        self.rstd1, self.rstd2 = torch.empty(tokens, 1), torch.empty(tokens, 1)
        self.normed1 = torch.empty(tokens, WIDTH + block.qkv.columns)
        self.query, self.key, self.value = (torch.empty(heads, sequence, HEAD) for _ in range(3))
        rows = sequence // query_blocks
        self.probabilities = [torch.empty(heads, rows, rows * (k + 1)) for k in range(query_blocks)]
        self.mixed = torch.empty(tokens, WIDTH + block.output.columns)
        self.normed2 = torch.empty(tokens, WIDTH + block.gate_up.columns)
        self.gate_and_up = torch.empty(tokens, 2 * HIDDEN)
        self.activated = torch.empty(tokens, HIDDEN)
        self.hidden = torch.empty(tokens, HIDDEN + block.down.columns)


class Worker:
    """Forward and backward pass of some sequences, with every buffer they need and gradients of its own."""

    def __init__(self, weights, batch, sequence, query_blocks, chunk, gradients):
        self.batch, self.sequence, self.blocks, self.chunk = batch, sequence, query_blocks, chunk
        self.embedding, self.norm, self.gradients = weights.embedding, weights.norm, gradients
        tokens = batch * sequence
        self.layers = [Layer(x, gradients, batch, sequence, query_blocks) for x in weights.blocks]
        cos, sin = rotary(sequence)
        self.cos, self.sin = cos[None, :, None], sin[None, :, None]                      # [1, sequence, 1, head / 2]
        self.cos_scaled, self.sin_scaled = self.cos / math.sqrt(HEAD), self.sin / math.sqrt(HEAD)
        rows = sequence // query_blocks
        self.mask = torch.full((rows, rows), -math.inf).triu(1)

        first = self.layers[0]
        self.final = torch.empty(tokens, WIDTH)
        self.final_normed = torch.empty(tokens, WIDTH)
        self.final_rstd = torch.empty(tokens, 1)
        self.projected = torch.empty(tokens, 3 * WIDTH)
        self.heads = torch.empty(batch * HEADS, sequence, HEAD)
        self.head_gradients = [torch.empty(batch * HEADS, sequence, HEAD) for _ in range(3)]
        self.scores = [torch.empty_like(p) for p in first.probabilities]
        self.logits = torch.empty(chunk, VOCABULARY)
        self.residual = torch.empty(tokens, WIDTH)
        self.scratch = torch.empty(tokens, WIDTH)
        self.qkv_input = torch.empty_like(first.normed1)
        self.output_input = torch.empty_like(first.mixed)
        self.gate_up_input = torch.empty_like(first.normed2)
        self.down_input = torch.empty_like(first.hidden)
        self.gate_up_gradient = torch.empty_like(first.gate_and_up)

    def rms(self, x, weight, rstd, out):
        torch.mul(x, x, out=self.scratch)
        torch.mean(self.scratch, -1, keepdim=True, out=rstd)
        rstd.add_(EPSILON).rsqrt_()
        torch.mul(x, rstd, out=out)
        out.mul_(weight)

    def rms_backward(self, dn, normed, x, weight, rstd, dx):
        """dx += rstd (dn w - x rstd mean(dn n)); dn is overwritten."""
        torch.mul(dn, normed, out=self.scratch)
        factor = self.scratch.mean(-1, keepdim=True).mul_(rstd).mul_(rstd)
        dn.mul_(weight)
        dx.addcmul_(dn, rstd).addcmul_(x, factor, value=-1)

    def by_head(self, x):
        """[batch, sequence, heads, head] view of rows of heads or of [batch * heads, sequence, head]."""
        if x.dim() == 3:
            return x.view(self.batch, HEADS, self.sequence, HEAD).transpose(1, 2)
        return x.unflatten(1, (HEADS, HEAD)).unflatten(0, (self.batch, self.sequence))

    def rotate(self, x, out, cos, sin, direction):
        x, out = self.by_head(x), self.by_head(out)
        half = HEAD // 2
        first, second, out1, out2 = x[..., :half], x[..., half:], out[..., :half], out[..., half:]
        torch.mul(first, cos, out=out1)
        out1.addcmul_(second, sin, value=-direction)
        torch.mul(second, cos, out=out2)
        out2.addcmul_(first, sin, value=direction)

    def attention(self, layer):
        p = self.projected
        self.rotate(p[:, :WIDTH], layer.query, self.cos_scaled, self.sin_scaled, 1)
        self.rotate(p[:, WIDTH:2 * WIDTH], layer.key, self.cos, self.sin, 1)
        self.by_head(layer.value).copy_(self.by_head(p[:, 2 * WIDTH:]))
        rows = self.sequence // self.blocks
        for k in range(self.blocks):
            begin, end = k * rows, (k + 1) * rows
            scores = self.scores[k]
            torch.bmm(layer.query[:, begin:end], layer.key[:, :end].transpose(1, 2), out=scores)
            scores[:, :, begin:].add_(self.mask)
            torch.softmax(scores, -1, out=layer.probabilities[k])
            torch.bmm(layer.probabilities[k], layer.value[:, :end], out=self.heads[:, begin:end])
        self.by_head(layer.mixed[:, :WIDTH]).copy_(self.by_head(self.heads))

    def attention_backward(self, layer, mixed_gradient):
        dq, dk, dv = self.head_gradients
        do = self.heads
        self.by_head(do).copy_(self.by_head(mixed_gradient))
        rows = self.sequence // self.blocks
        for k in reversed(range(self.blocks)):
            begin, end = k * rows, (k + 1) * rows
            p, ds, d = layer.probabilities[k], self.scores[k], do[:, begin:end]
            torch.bmm(d, layer.value[:, :end].transpose(1, 2), out=ds)
            torch._softmax_backward_data(ds, p, -1, torch.float32, grad_input=ds)
            if end == self.sequence:
                torch.bmm(p.transpose(1, 2), d, out=dv)
                torch.bmm(ds.transpose(1, 2), layer.query[:, begin:end], out=dk)
            else:
                dv[:, :end].baddbmm_(p.transpose(1, 2), d)
                dk[:, :end].baddbmm_(ds.transpose(1, 2), layer.query[:, begin:end])
            torch.bmm(ds, layer.key[:, :end], out=dq[:, begin:end])
        p = self.projected
        self.rotate(dq, p[:, :WIDTH], self.cos_scaled, self.sin_scaled, -1)
        self.rotate(dk, p[:, WIDTH:2 * WIDTH], self.cos, self.sin, -1)
        self.by_head(p[:, 2 * WIDTH:]).copy_(self.by_head(dv))

    def forward(self, inputs):
        torch.index_select(self.embedding, 0, inputs, out=self.layers[0].input)
        for n, layer in enumerate(self.layers):
            self.rms(layer.input, layer.norm1, layer.rstd1, layer.normed1[:, :WIDTH])
            layer.qkv.forward(layer.normed1, self.projected)
            self.attention(layer)
            layer.output.forward(layer.mixed, layer.middle, plus=layer.input)
            self.rms(layer.middle, layer.norm2, layer.rstd2, layer.normed2[:, :WIDTH])
            layer.gate_up.forward(layer.normed2, layer.gate_and_up)
            gate, up = layer.gate_and_up[:, :HIDDEN], layer.gate_and_up[:, HIDDEN:]
            torch._C._nn.silu(gate, out=layer.activated)
            torch.mul(layer.activated, up, out=layer.hidden[:, :HIDDEN])
            after = self.layers[n + 1].input if n + 1 < LAYERS else self.final
            layer.down.forward(layer.hidden, after, plus=layer.middle)
        self.rms(self.final, self.norm, self.final_rstd, self.final_normed)

    def loss_and_gradient(self, targets, total_tokens):
        """This worker's part of the mean cross-entropy; scratch becomes the gradient of final_normed, chunk by chunk."""
        total = 0.0
        for begin in range(0, targets.numel(), self.chunk):
            x, y = self.final_normed[begin:begin + self.chunk], targets[begin:begin + self.chunk, None]
            torch.mm(x, self.embedding.t(), out=self.logits)
            torch.softmax(self.logits, -1, out=self.logits)
            chosen = self.logits.gather(1, y)
            total -= chosen.log().sum().item()
            self.logits.scatter_(1, y, chosen - 1)
            torch.addmm(x, self.logits, self.embedding, beta=0, alpha=1 / total_tokens, out=self.scratch[begin:begin + self.chunk])
        return total / total_tokens

    def backward(self):
        dx = self.residual.zero_()
        dn = self.qkv_input[:, :WIDTH]
        dn.copy_(self.scratch)
        self.rms_backward(dn, self.final_normed, self.final, self.norm, self.final_rstd, dx)
        for layer in reversed(self.layers):
            dh = layer.down.backward(dx, layer.hidden, self.down_input)
            gate, up = layer.gate_and_up[:, :HIDDEN], layer.gate_and_up[:, HIDDEN:]
            dgate, dup = self.gate_up_gradient[:, :HIDDEN], self.gate_up_gradient[:, HIDDEN:]
            torch.mul(dh, layer.activated, out=dup)
            dh.mul_(up)
            torch.ops.aten.silu_backward(dh, gate, grad_input=dgate)
            dn = layer.gate_up.backward(self.gate_up_gradient, layer.normed2, self.gate_up_input)
            self.rms_backward(dn, layer.normed2[:, :WIDTH], layer.middle, layer.norm2, layer.rstd2, dx)
            dm = layer.output.backward(dx, layer.mixed, self.output_input)
            self.attention_backward(layer, dm)
            dn = layer.qkv.backward(self.projected, layer.normed1, self.qkv_input)
            self.rms_backward(dn, layer.normed1[:, :WIDTH], layer.input, layer.norm1, layer.rstd1, dx)

    def step(self, inputs, targets, total_tokens):
        with torch.no_grad():
            self.forward(inputs)
            loss = self.loss_and_gradient(targets, total_tokens)
            self.backward()
        return loss


class Model:
    """The weights and one or two workers, each with an equal share of the sequences."""

    def __init__(self, batch, sequence, query_blocks, chunk, workers):
        self.weights = Weights()
        gradient = self.weights.adapters.grad
        self.workers = [Worker(self.weights, batch // workers, sequence, query_blocks, chunk, gradient if k == 0 else torch.zeros_like(gradient))
                        for k in range(workers)]
        self.pool = ThreadPoolExecutor(workers) if workers > 1 else None

    def step(self, inputs, targets):
        """Loss; the gradient of the adapters is in their grad."""
        self.weights.refresh()
        total, first = targets.numel(), self.workers[0]
        if self.pool is None:
            return first.step(inputs, targets, total)
        count = len(self.workers)
        parts = self.pool.map(lambda w, x, y: w.step(x, y, total), self.workers, inputs.chunk(count), targets.chunk(count))
        loss = sum(parts)
        for other in self.workers[1:]:
            first.gradients.add_(other.gradients)
        return loss


def rotary(sequence):
    angle = torch.arange(sequence)[:, None] * 10000.0 ** (-torch.arange(0, HEAD, 2) / HEAD)
    return angle.cos(), angle.sin()


def reference(weights, inputs, targets, batch, sequence):
    """Loss and gradient of the flat adapters by plain autograd in float64."""
    F = torch.nn.functional
    flat = weights.adapters.detach().double().requires_grad_()

    def linear(x, layer):
        a, b = layer.views(flat)
        h = x @ a.t()
        low = [h[:, k * RANK:(k + 1) * RANK] @ part.t() for k, part in enumerate(b.split(layer.outputs))]
        return x @ layer.extended[:, :layer.inputs].double().t() + SCALE * torch.cat(low, 1)

    def rms(x, w):
        return x * torch.rsqrt((x * x).mean(-1, keepdim=True) + EPSILON) * w.double()

    cos, sin = (x.double() for x in rotary(sequence))

    def heads(x):
        return x.view(batch, sequence, HEADS, HEAD).transpose(1, 2)

    def rotate(x):
        u, v = x.chunk(2, -1)
        return torch.cat([u * cos - v * sin, v * cos + u * sin], -1)

    mask = torch.full((sequence, sequence), -math.inf, dtype=torch.float64).triu(1)
    x = weights.embedding.double()[inputs]
    for layer in weights.blocks:
        q, k, v = (heads(z.contiguous()) for z in linear(rms(x, layer.norm1), layer.qkv).chunk(3, 1))
        p = torch.softmax(rotate(q) @ rotate(k).transpose(-1, -2) / math.sqrt(HEAD) + mask, -1)
        x = x + linear((p @ v).transpose(1, 2).reshape(-1, WIDTH), layer.output)
        gate, up = linear(rms(x, layer.norm2), layer.gate_up).chunk(2, 1)
        x = x + linear(F.silu(gate) * up, layer.down)
    loss = F.cross_entropy(rms(x, weights.norm) @ weights.embedding.double().t(), targets)
    loss.backward()
    return float(loss), flat.grad


def peak_resident_mib():
    with open("/proc/self/status", encoding="ascii") as file:
        line, = (x for x in file if x.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def report(milliseconds, tokens, weights, losses):
    median = statistics.median(milliseconds)
    print(json.dumps(dict(
        milliseconds=[round(x, 1) for x in milliseconds], median=round(median, 1), best=round(min(milliseconds), 1),
        tokensPerSecond=round(tokens / median * 1e3, 1), maxRssMiB=round(peak_resident_mib(), 1),
        parameters=weights.frozen(), trainable=weights.adapters.numel(), firstLoss=losses[0], lastLoss=losses[-1])))


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--steps", type=int, default=15)
    arguments.add_argument("--warmup", type=int, default=3)
    arguments.add_argument("--batch", type=int, default=4)
    arguments.add_argument("--sequence", type=int, default=256)
    arguments.add_argument("--blocks", type=int, default=4, help="blocks of queries in causal attention")
    arguments.add_argument("--chunk", type=int, default=512, help="rows of logits at a time")
    arguments.add_argument("--threads", type=int, default=1, help="PyTorch's own threads; BLAS has its own setting")
    arguments.add_argument("--workers", type=int, default=1, choices=[1, 2],
                           help="2: two threads, each with half the sequences; then OPENBLAS_NUM_THREADS=1")
    arguments.add_argument("--check", action="store_true")
    a = arguments.parse_args()

    if a.batch % a.workers or a.batch // a.workers * a.sequence % a.chunk or a.sequence % a.blocks:
        raise SystemExit("--workers must divide --batch, --chunk a worker's tokens and --blocks the sequence")
    torch.set_num_threads(a.threads)
    model = Model(a.batch, a.sequence, a.blocks, a.chunk, a.workers)
    adapters = model.weights.adapters
    ids = torch.randint(0, VOCABULARY, (a.batch, a.sequence + 1))
    inputs, targets = ids[:, :-1].reshape(-1), ids[:, 1:].reshape(-1)
    if a.check:
        loss, gradient = reference(model.weights, inputs, targets, a.batch, a.sequence)
        ours = model.step(inputs, targets)
        error = (adapters.grad.double() - gradient).norm() / gradient.norm()
        print(json.dumps(dict(loss=ours, referenceLoss=loss, relativeGradientError=float(error))))
        raise SystemExit(0 if abs(ours - loss) < 1e-5 * loss and error < 1e-4 else 1)

    optimizer = torch.optim.AdamW([adapters], lr=RATE, weight_decay=0.01)
    milliseconds, losses = [], []
    for _ in range(a.warmup + a.steps):
        begin = time.perf_counter()
        losses.append(model.step(inputs, targets))
        optimizer.step()
        milliseconds.append((time.perf_counter() - begin) * 1e3)
    report(milliseconds[a.warmup:], inputs.numel(), model.weights, losses)


if __name__ == "__main__":
    main()
