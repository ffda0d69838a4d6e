"""The demo recipe (recipes/quick/demo.toml) beside the same training in PyTorch eager: `python bench/demo.py build/satchel [--seeds 0 1 2]`.

PyTorch trains an epoch before and an epoch after each of satchel's whole runs, with the same network, batch, optimizer, schedule and
evaluation. Its data path is the fastest that plain PyTorch has for this set: all pictures as one tensor in memory, taken a batch at a
time, so no worker process and no picture object. Printed per seed: test top-1, and images/s of training and evaluation of both. Exit
code 1 if a run stays below 91 % or is slower than PyTorch.
"""
import argparse
import gzip
import json
import math
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import numpy
import torch
from torch.nn import functional

from peers import CifarResNet

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
BATCH, EPOCHS, LR, DECAY = 128, 5, 0.3, 2e-4


def idx(folder, name, header):
    return numpy.frombuffer(gzip.open(folder / f"{name}.gz").read(), numpy.uint8, offset=header).copy()


class Eager:
    """The recipe in PyTorch; state carries over between epochs."""

    def __init__(self, folder, memory_format):
        torch.manual_seed(0)
        self.x = torch.from_numpy(idx(folder, "train-images-idx3-ubyte", 16)).view(-1, 1, 28, 28)
        self.y = torch.from_numpy(idx(folder, "train-labels-idx1-ubyte", 8)).long()
        self.test_x = torch.from_numpy(idx(folder, "t10k-images-idx3-ubyte", 16)).view(-1, 1, 28, 28)
        self.test_y = torch.from_numpy(idx(folder, "t10k-labels-idx1-ubyte", 8)).long()
        self.layout = memory_format
        self.network = CifarResNet(8, 10).to(memory_format=memory_format)
        parameters = [p for p in self.network.parameters() if p.ndim > 1], [p for p in self.network.parameters() if p.ndim <= 1]
        groups = [{"params": parameters[0], "weight_decay": DECAY}, {"params": parameters[1], "weight_decay": 0}]
        self.optimizer = torch.optim.SGD(groups, lr=LR, momentum=0.9, nesterov=True)
        self.mean, self.std = (torch.tensor(v).view(1, 3, 1, 1) for v in (MEAN, STD))
        self.step, self.steps = 0, EPOCHS * (len(self.x) // BATCH)

    def batch(self, pixels):
        x = pixels.to(torch.float32).div_(255).expand(-1, 3, -1, -1)
        return x.sub(self.mean).div_(self.std).contiguous(memory_format=self.layout)

    def rate(self):
        warmup = self.steps // 10
        if self.step < warmup:
            return LR * (self.step + 1) / warmup
        return 0.5 * LR * (1 + math.cos(math.pi * (self.step - warmup) / (self.steps - warmup)))

    def epoch(self, limit=None):
        """Seconds per training picture."""
        self.network.train()
        order, began = torch.randperm(len(self.x)), time.perf_counter()
        steps = limit or len(self.x) // BATCH
        for i in range(steps):
            picked = order[i * BATCH:(i + 1) * BATCH]
            for group in self.optimizer.param_groups:
                group["lr"] = self.rate()
            self.optimizer.zero_grad(set_to_none=True)
            functional.cross_entropy(self.network(self.batch(self.x[picked])), self.y[picked]).backward()
            self.optimizer.step()
            self.step += 1
        return (time.perf_counter() - began) / (steps * BATCH)

    @torch.no_grad()
    def evaluate(self):
        """(seconds per test picture, top-1 in percent)."""
        self.network.eval()
        began = time.perf_counter()
        right = sum((self.network(self.batch(x)).argmax(1) == y).sum().item()
                    for x, y in zip(self.test_x.split(BATCH), self.test_y.split(BATCH)))
        return (time.perf_counter() - began) / len(self.test_x), 100 * right / len(self.test_x)


def run(program, folder, seed, output, threads):
    """(best top-1 in percent, training images/s without evaluation, seconds of the whole process)."""
    result, began = output / f"{seed}.json", time.perf_counter()
    subprocess.run([program, "train", folder, "--recipe", "demo", "--seed", str(seed), "--output", output, "--name", f"seed{seed}", "--device", "cpu",
                    "--threads", str(threads), "--result", result], check=True, capture_output=True)
    seconds = time.perf_counter() - began
    lines = [json.loads(line) for line in (output / f"seed{seed}/metrics.jsonl").read_text().splitlines()]
    return json.loads(result.read_text())["best_metric"], [m["images_per_second"] for m in lines if "images_per_second" in m][-1], seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", nargs="?", default="build/satchel")
    parser.add_argument("--data", type=pathlib.Path, default=pathlib.Path("/usr/share/datasets/fashion-mnist"))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--json", type=pathlib.Path, help="write every figure")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    peers = [Eager(options.data, layout) for layout in (torch.contiguous_format, torch.channels_last)]
    speeds = [min(peer.epoch(40) for _ in range(3)) for peer in peers]
    peer = peers[speeds.index(min(speeds))]
    peer.step = 0
    print(f"PyTorch {torch.__version__}, {options.threads} threads, {peer.layout}, load {os.getloadavg()[0]:.1f}", flush=True)
    seconds_of_training, rows = peer.epoch(), []
    with tempfile.TemporaryDirectory() as folder:
        for seed in options.seeds:
            before = seconds_of_training
            top1, ours, seconds = run(options.program, options.data, seed, pathlib.Path(folder), options.threads)
            after = seconds_of_training = peer.epoch()
            theirs = 2 / (before + after)
            row = {"seed": seed, "top1": top1, "seconds": seconds, "images_per_second": ours, "peer_images_per_second": theirs,
                   "peer_before": 1 / before, "peer_after": 1 / after, "ratio": ours / theirs, "load": os.getloadavg()[0]}
            rows.append(row)
            print(f"seed {seed}: top-1 {row['top1']:.2f} %, {seconds:.0f} s in all; training {ours:.0f} images/s, PyTorch eager "
                  f"{1 / before:.0f} before, {1 / after:.0f} after: ratio {row['ratio']:.2f}; load {row['load']:.1f}", flush=True)
    evaluation, top1 = peer.evaluate()
    print(f"PyTorch: {1 / evaluation:.0f} images/s in evaluation; top-1 {top1:.2f} % after {peer.step} steps")
    if options.json:
        options.json.write_text(json.dumps(rows, indent=2) + "\n")
    sys.exit(0 if all(row["top1"] >= 91 and row["ratio"] >= 1 for row in rows) else 1)


if __name__ == "__main__":
    main()
