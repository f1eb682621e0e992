#!/usr/bin/python3
"""The step of lora_step.py as one writes it in PyTorch by hand-made autograd functions: the graph is PyTorch's, and each
function saves only what its gradient needs, computes no gradient of frozen weights and works in place where it may.

Same weights, batch, options and output as lora_step.py; `--check` compares with plain autograd in float64.
"""
import argparse
import json
import math
import time

import torch

from lora_step import EPSILON, HEAD, HEADS, HIDDEN, RATE, SCALE, VOCABULARY, WIDTH, Weights, reference, report, rotary


class LoraLinear(torch.autograd.Function):
    """x Wᵀ + s x Aᵀ Bᵀ of stacked projections."""

    @staticmethod
    def forward(ctx, x, a, b, linear):
        ctx.linear, h = linear, x @ a.t()
        ctx.save_for_backward(x, h, a, b)
        y = x @ linear.extended[:, :linear.inputs].t()
        for rows, columns in parts(linear):
            y[:, rows].addmm_(h[:, columns], b[rows].t(), alpha=SCALE)
        return y

    @staticmethod
    def backward(ctx, dy):
        linear, (x, h, a, b) = ctx.linear, ctx.saved_tensors
        dh, db = torch.empty_like(h), torch.empty_like(b)
        for rows, columns in parts(linear):
            torch.addmm(dh[:, columns], dy[:, rows], b[rows], beta=0, alpha=SCALE, out=dh[:, columns])
            torch.addmm(db[rows], dy[:, rows].t(), h[:, columns], beta=0, alpha=SCALE, out=db[rows])
        dx = dy @ linear.extended[:, :linear.inputs]
        return dx.addmm_(dh, a), dh.t() @ x, db, None


def parts(linear):
    for rows, columns in linear.rows_and_columns():
        yield rows, slice(columns.start - linear.inputs, columns.stop - linear.inputs)


class RmsNorm(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, weight):
        rstd = x.square().mean(-1, keepdim=True).add_(EPSILON).rsqrt_()
        ctx.save_for_backward(x, weight, rstd)
        return torch.mul(x, rstd).mul_(weight)

    @staticmethod
    def backward(ctx, dn):
        x, weight, rstd = ctx.saved_tensors
        g = dn * weight
        factor = (g * x).mean(-1, keepdim=True).mul_(rstd).mul_(rstd).mul_(rstd)
        return g.mul_(rstd).addcmul_(x, factor, value=-1), None


class SwiGlu(torch.autograd.Function):
    @staticmethod
    def forward(ctx, gate_up):
        gate, up = gate_up[:, :HIDDEN], gate_up[:, HIDDEN:]
        activated = torch.nn.functional.silu(gate)
        ctx.save_for_backward(gate_up, activated)
        return activated * up

    @staticmethod
    def backward(ctx, dh):
        gate_up, activated = ctx.saved_tensors
        d = torch.empty_like(gate_up)
        torch.mul(dh, activated, out=d[:, HIDDEN:])
        torch.ops.aten.silu_backward(dh * gate_up[:, HIDDEN:], gate_up[:, :HIDDEN], grad_input=d[:, :HIDDEN])
        return d


class Attention(torch.autograd.Function):
    """Causal attention with rotary embedding over stacked q, k, v, by blocks of queries that skip the keys after them."""

    @staticmethod
    def forward(ctx, qkv, cos, sin, mask, batch, blocks):
        sequence = qkv.shape[0] // batch
        heads = qkv.view(batch, sequence, 3, HEADS, HEAD)
        q, k, v = (qkv.new_empty(batch, HEADS, sequence, HEAD) for _ in range(3))
        rotate(heads[:, :, 0], q.transpose(1, 2), cos / math.sqrt(HEAD), sin / math.sqrt(HEAD))
        rotate(heads[:, :, 1], k.transpose(1, 2), cos, sin)
        v.transpose(1, 2).copy_(heads[:, :, 2])
        q, k, v = (x.view(-1, sequence, HEAD) for x in (q, k, v))
        out, saved, rows = torch.empty_like(q), [], sequence // blocks
        for begin in range(0, sequence, rows):
            end = begin + rows
            scores = torch.bmm(q[:, begin:end], k[:, :end].transpose(1, 2))
            scores[:, :, begin:].add_(mask)
            torch.softmax(scores, -1, out=scores)
            torch.bmm(scores, v[:, :end], out=out[:, begin:end])
            saved.append(scores)
        ctx.save_for_backward(q, k, v, cos, sin, *saved)
        ctx.batch = batch
        return out.view(batch, HEADS, sequence, HEAD).transpose(1, 2).reshape(-1, WIDTH)

    @staticmethod
    def backward(ctx, d):
        q, k, v, cos, sin, *saved = ctx.saved_tensors
        batch, sequence = ctx.batch, q.shape[1]
        d = d.view(batch, sequence, HEADS, HEAD).transpose(1, 2).reshape(-1, sequence, HEAD)
        dq, dk, dv = torch.empty_like(q), torch.zeros_like(k), torch.zeros_like(v)
        rows = sequence // len(saved)
        for n, p in enumerate(saved):
            begin, end = n * rows, (n + 1) * rows
            ds = torch.bmm(d[:, begin:end], v[:, :end].transpose(1, 2))
            torch._softmax_backward_data(ds, p, -1, torch.float32, grad_input=ds)
            dv[:, :end].baddbmm_(p.transpose(1, 2), d[:, begin:end])
            dk[:, :end].baddbmm_(ds.transpose(1, 2), q[:, begin:end])
            torch.bmm(ds, k[:, :end], out=dq[:, begin:end])
        result = d.new_empty(batch, sequence, 3, HEADS, HEAD)
        by_token = [x.view(batch, HEADS, sequence, HEAD).transpose(1, 2) for x in (dq, dk, dv)]
        rotate(by_token[0], result[:, :, 0], cos / math.sqrt(HEAD), -sin / math.sqrt(HEAD))
        rotate(by_token[1], result[:, :, 1], cos, -sin)
        result[:, :, 2].copy_(by_token[2])
        return result.view(-1, 3 * WIDTH), None, None, None, None, None


def rotate(x, out, cos, sin):
    half = HEAD // 2
    first, second = x[..., :half], x[..., half:]
    torch.mul(first, cos, out=out[..., :half]).addcmul_(second, sin, value=-1)
    torch.mul(second, cos, out=out[..., half:]).addcmul_(first, sin)


class HeadLoss(torch.autograd.Function):
    """Mean cross-entropy of x Eᵀ; the gradient of x is made chunk by chunk in the forward pass."""

    @staticmethod
    def forward(ctx, x, embedding, targets, chunk):
        dx, total = torch.empty_like(x), x.new_zeros(())
        for begin in range(0, x.shape[0], chunk):
            logits = x[begin:begin + chunk] @ embedding.t()
            torch.softmax(logits, -1, out=logits)
            y = targets[begin:begin + chunk, None]
            chosen = logits.gather(1, y)
            total -= chosen.log().sum()
            logits.scatter_(1, y, chosen - 1)
            part = dx[begin:begin + chunk]
            torch.addmm(part, logits, embedding, beta=0, alpha=1 / x.shape[0], out=part)
        ctx.save_for_backward(dx)
        return total / x.shape[0]

    @staticmethod
    def backward(ctx, d):
        return ctx.saved_tensors[0] * d, None, None, None


class Model:
    def __init__(self, batch, sequence, blocks, chunk):
        self.weights, self.batch, self.blocks, self.chunk = Weights(), batch, blocks, chunk
        self.adapters = [tuple(x.detach().clone().requires_grad_() for x in (n.a, n.b)) for n in self.weights.linears]
        self.cos, self.sin = (x[None, :, None] for x in rotary(sequence))
        rows = sequence // blocks
        self.mask = torch.full((rows, rows), -math.inf).triu(1)

    def step(self, inputs, targets):
        x = self.weights.embedding[inputs]
        adapters = iter(self.adapters)

        def linear(x, layer):
            return LoraLinear.apply(x, *next(adapters), layer)

        for block in self.weights.blocks:
            qkv = linear(RmsNorm.apply(x, block.norm1), block.qkv)
            mixed = Attention.apply(qkv, self.cos, self.sin, self.mask, self.batch, self.blocks)
            x = x + linear(mixed, block.output)
            gate_up = linear(RmsNorm.apply(x, block.norm2), block.gate_up)
            x = x + linear(SwiGlu.apply(gate_up), block.down)
        loss = HeadLoss.apply(RmsNorm.apply(x, self.weights.norm), self.weights.embedding, targets, self.chunk)
        loss.backward()
        return loss.item()


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--steps", type=int, default=15)
    arguments.add_argument("--warmup", type=int, default=3)
    arguments.add_argument("--batch", type=int, default=4)
    arguments.add_argument("--sequence", type=int, default=256)
    arguments.add_argument("--blocks", type=int, default=4, help="blocks of queries in causal attention")
    arguments.add_argument("--chunk", type=int, default=512, help="rows of logits at a time")
    arguments.add_argument("--threads", type=int, default=1, help="PyTorch's own threads; BLAS has its own setting")
    arguments.add_argument("--check", action="store_true")
    a = arguments.parse_args()

    torch.set_num_threads(a.threads)
    model = Model(a.batch, a.sequence, a.blocks, a.chunk)
    parameters = [x for pair in model.adapters for x in pair]
    ids = torch.randint(0, VOCABULARY, (a.batch, a.sequence + 1))
    inputs, targets = ids[:, :-1].reshape(-1), ids[:, 1:].reshape(-1)
    if a.check:
        loss, gradient = reference(model.weights, inputs, targets, a.batch, a.sequence)
        ours = model.step(inputs, targets)
        flat = torch.cat([x.grad.flatten() for x in parameters]).double()
        error = float((flat - gradient).norm() / gradient.norm())
        print(json.dumps(dict(loss=ours, referenceLoss=loss, relativeGradientError=error)))
        raise SystemExit(0 if abs(ours - loss) < 1e-5 * loss and error < 1e-4 else 1)

    optimizer = torch.optim.AdamW(parameters, lr=RATE, weight_decay=0.01, foreach=True)
    milliseconds, losses = [], []
    for _ in range(a.warmup + a.steps):
        begin = time.perf_counter()
        optimizer.zero_grad(set_to_none=True)
        losses.append(model.step(inputs, targets))
        optimizer.step()
        milliseconds.append((time.perf_counter() - begin) * 1e3)
    report(milliseconds[a.warmup:], inputs.numel(), model.weights, losses)


if __name__ == "__main__":
    main()
