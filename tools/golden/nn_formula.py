"""Weights and inputs made by a formula that tests/nn/formula.h repeats bit for bit, so that fixtures hold results alone."""
import math

import numpy as np
import torch

MASK = (1 << 64) - 1
GOLDEN = 0x9E3779B97F4A7C15
INPUT_TAG, TARGET_TAG, PROBE_TAG = 1_000_000, 2_000_000, 3_000_000


def uniform(tag, n):
    """n doubles in [-1, 1): splitmix64 of (tag, index)."""
    with np.errstate(over="ignore"):
        z = (np.arange(1, n + 1, dtype=np.uint64) + np.uint64((tag << 40) & MASK)) * np.uint64(GOLDEN)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z ^= z >> np.uint64(31)
    return (z >> np.uint64(11)).astype(np.float64) * 2.0**-52 - 1.0


def tensor(tag, *shape):
    return torch.from_numpy(uniform(tag, math.prod(shape)).reshape(shape))


def fill(network):
    """Every tensor of the state dict by its place in it: convolutions and linear layers by fan-in, norms near 0.5, variances near 1."""
    for tag, (name, value) in enumerate(network.state_dict().items()):
        if name.endswith("num_batches_tracked"):
            value.fill_(tag)
            continue
        u = tensor(tag, *value.shape)
        if value.dim() > 1:
            u = u * math.sqrt(6.0 / (value.numel() // value.shape[0]))
        elif name.endswith("running_var"):
            u = u * 0.5 + 1.0
        elif name.endswith("weight"):
            u = u * 0.2 + 0.5
        else:
            u = u * 0.1
        value.copy_(u)


def probe(place, value):
    """One number that depends on every element: the inner product with a pattern of its own."""
    return torch.dot(tensor(PROBE_TAG + place, value.numel()), value.detach().double().reshape(-1))


class Rng:
    """satchel/base/rng.h: Philox4x32-10 at an address, as uniform doubles."""

    def __init__(self, seed, epoch, sample, copy, op):
        word = 0xFFFFFFFF
        self.key = (seed & word, seed >> 32)
        self.counter = [0, epoch & word, sample & word, (sample >> 32) ^ ((copy << 24) & word) ^ ((op * 0x9E3779B1) & word)]
        self.left = []

    def bits(self):
        if not self.left:
            c, (k0, k1) = list(self.counter), self.key
            for _ in range(10):
                p0, p1 = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
                c = [(p1 >> 32) ^ c[1] ^ k0, p1 & 0xFFFFFFFF, (p0 >> 32) ^ c[3] ^ k1, p0 & 0xFFFFFFFF]
                k0, k1 = (k0 + 0x9E3779B9) & 0xFFFFFFFF, (k1 + 0xBB67AE85) & 0xFFFFFFFF
            self.left = c
            self.counter[0] += 1
        return self.left.pop(0)

    def uniform(self):
        high, low = self.bits() >> 5, self.bits() >> 6
        return ((high << 26) | low) * (1.0 / 9007199254740992.0)
