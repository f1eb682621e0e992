#include "attention.cuh"

// o = softmax(q kᵀ / √HEAD_WIDTH, causal) v and logSumExp, which may be none. A block along x for each head of each sequence; along y one
// for each tile of queries, the last, which have most keys, first.
KERNEL attention(
    Rows<const real> q, Rows<const real> k, Rows<const real> v, Rows<real> o, Rows<float> logSumExp, const Step* step, int heads, int keyValueHeads)
{
    int rows = step->sequence;
    int head = blockX() % heads;
    int keyHead = head / (heads / keyValueHeads);
    i64 start = (i64)(blockX() / heads) * rows;
    float* normalizers = logSumExp.given() ? logSumExp.row((int)start) + head : nullptr;
    attend(
        headOf(q, start, rows, head), headOf(k, start, rows, keyHead), headOf(v, start, rows, keyHead), headOf(o, start, rows, head), normalizers,
        logSumExp.stride, 0, (gridY() - 1 - blockY()) * Forward::Queries);
}
