"""Twelve steps in double of the whole procedures A1, A2 and A3 of "ResNet strikes back" (2110.00476) by timm's own code: transforms, repeated
augmentation, mixup and CutMix, loss, LAMB and schedule.

Run by itself it writes tests/golden/train/steps/strikes_back.json, which tests/train/strikes_back_test.cpp follows; tests/peers/tricks_steps.py
drives the program through the same cases. What timm draws is recorded as satchel's trace and replayed there. Stochastic depth has no trace: its
keeps are satchel's own, a function of (seed, step, place, block), computed here a second time. timm cannot smooth binary targets of mixed
pictures, so procedure A1 has timm's soft targets, timm's threshold, and `present` by the few lines here, with the recipe's threshold and without.
"""
import dataclasses
import json
import math
import pathlib
import random

import numpy as np
import timm
import torch
from PIL import Image
from timm.data import create_transform
from timm.data.distributed_sampler import RepeatAugSampler
from timm.data.mixup import FastCollateMixup
from timm.loss import BinaryCrossEntropy
from timm.optim import create_optimizer_v2
from timm.scheduler import CosineLRScheduler
from torch import nn
from torch.nn import functional

import augment_crops
import augment_rand
import tricks_steps
from train_steps import CLASSES, MEAN, PER_CLASS, STD

FOLDER = tricks_steps.FOLDER
EPOCHS, BATCH, WARMUP = 4, 8, 2
PICTURES = CLASSES * PER_CLASS
PER_EPOCH = PICTURES // BATCH
DROP_PATH_OP = 0x64726F70
TARGET_THRESHOLD = 0.2


@dataclasses.dataclass
class Case:
    """A procedure as the paper has it (timm's names), and how its targets are made: as its recipe says (None) or by loss.bce.target."""
    parent: str
    policy: str
    lr: float
    weight_decay: float
    mixup: float
    drop_path: float = 0.05
    repeats: int = 3
    smoothing: float = 0.0
    target: str | None = None
    model: str = "cifar_resnet8"
    size: int = 32
    seed: int = 0


A1 = dict(parent="rsb-a1", policy="rand-m7-mstd0.5-inc1", lr=5e-3, weight_decay=0.01, mixup=0.2, smoothing=0.1, seed=1)
A2 = dict(parent="rsb-a2", policy="rand-m7-mstd0.5-inc1", lr=5e-3, weight_decay=0.02, mixup=0.1, seed=2)
A3 = dict(parent="rsb-a3", policy="rand-m6-mstd0.5-inc1", lr=8e-3, weight_decay=0.02, mixup=0.1, drop_path=0.0, repeats=1, seed=3)
CASES = {
    "a1": Case(**A1),
    "a1_soft": Case(**A1, target="soft"),
    "a1_threshold": Case(**A1, target="threshold"),
    "a1_present": Case(**A1, target="present"),
    "a2": Case(**A2),
    "a2_present": Case(**A2, target="present"),
    "a3": Case(**A3),
    "a3_soft": Case(**A3, target="soft"),
}


def recipe(case, _teacher=None):
    """The case for `satchel train --recipe`: the procedure's own recipe, shorter and smaller."""
    crop = f'{{ random_resized_crop = {{ size = {case.size}, interpolation = "random" }} }}'
    target = f'loss      = {{ bce = {{ target = "{case.target}" }} }}\n' if case.target else ""
    return f"""\
extends   = "{case.parent}"
model     = {{ {case.model} = {{}} }}
augment   = [ {crop}, {{ hflip = {{}} }}, {{ rand_augment = {{ policy = "{case.policy}" }} }} ]
{target}schedule  = {{ cosine = {{ warmup = "{WARMUP} epochs" }} }}
[train]
length = "{EPOCHS} epochs"
batch = {BATCH}
min_epoch_steps = 0
precision = "fp64"
log_interval = 1
mean = {list(MEAN)}
std = {list(STD)}
[sampler]
shuffle = false
[evaluate]
img_size = {case.size}
"""


# ---- pictures -----------------------------------------------------------------------------------------------------------

class Transform:
    """timm's training transform, which notes its draws."""

    def __init__(self, case):
        self.timm = create_transform(case.size, is_training=True, use_prefetcher=True, auto_augment=case.policy, interpolation="random")
        self.crop, _, rand, _ = self.timm.transforms
        for op in rand.ops:
            augment_rand.RECORDER.watch(op)

    def __call__(self, picture):
        """[3, size, size] bytes, and the draws."""
        while True:
            box, flips = {}, []
            augment_rand.RECORDER.take()
            try:
                with augment_crops.watched(self.crop, box, flips):
                    pixels = self.timm(picture)
            except ValueError:  # timm posterizes to 0 bits, which Pillow 13 refuses
                continue
            return pixels, [{"random_resized_crop": box}, {"hflip": {"flip": bool(flips)}}, {"rand_augment": augment_rand.RECORDER.take()}]


class Collate(FastCollateMixup):
    """timm's, with λ in single precision as a batch plan carries it; `row` is what the trace says of each picture."""

    def _params_per_batch(self):
        lam, cutmix = super()._params_per_batch()
        self.row = {"lambda": float(np.float32(lam)), "x": 0, "y": 0, "width": 0, "height": 0}
        return self.row["lambda"], cutmix

    def __call__(self, batch):
        boxes, inner = [], timm.data.mixup.cutmix_bbox_and_lam

        def seen(*args, **kwargs):
            box, lam = inner(*args, **kwargs)
            boxes.append((box, lam))
            return box, lam

        timm.data.mixup.cutmix_bbox_and_lam = seen
        torch.set_default_dtype(torch.float64)  # of the targets
        try:
            pixels, targets = super().__call__(batch)
        finally:
            torch.set_default_dtype(torch.float32)
            timm.data.mixup.cutmix_bbox_and_lam = inner
        for (top, bottom, left, right), lam in boxes:
            self.row = {"lambda": float(lam), "x": int(left), "y": int(top), "width": int(right - left), "height": int(bottom - top)}
        return pixels, targets


class Epochs:
    """Every batch of a case: bytes, soft targets, classes, λ; and the trace."""

    def __init__(self, case, folder):
        augment_rand.seeded(case.seed)
        pictures = [Image.open(path).convert("RGB") for path in sorted((folder / "train").rglob("*.png"))]
        transform = Transform(case)
        collate = Collate(case.mixup, 1.0, label_smoothing=case.smoothing, num_classes=CLASSES)
        self.batches, self.trace = [], []
        for epoch in range(EPOCHS):
            sampler = RepeatAugSampler(pictures, num_replicas=1, rank=0, shuffle=False, num_repeats=case.repeats)
            order = list(sampler) if case.repeats > 1 else list(range(PICTURES))
            drawn = [(*transform(pictures[item]), item // PER_CLASS) for item in order]
            for first in range(0, PICTURES, BATCH):
                rows = drawn[first:first + BATCH]
                pixels, targets = collate([(pixels, label) for pixels, _, label in rows])
                self.batches.append((pixels, targets, torch.tensor([label for _, _, label in rows]), collate.row["lambda"]))
                for k, (_, ops, _) in enumerate(rows):
                    mix = dict(partner=BATCH - 1 - k, **collate.row)
                    self.trace.append(dict(epoch=epoch, place=first + k, ops=ops, mix=mix))


def trace(case, folder=FOLDER / "pictures"):
    """The lines of `--replay`."""
    return "".join(json.dumps(line) + "\n" for line in Epochs(case, folder).trace)


# ---- stochastic depth ---------------------------------------------------------------------------------------------------

def philox(key, counter):
    """Philox4x32-10 (Salmon et al. 2011)."""
    c, (k0, k1), mask = list(counter), key, 0xFFFFFFFF
    for _ in range(10):
        p0, p1 = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [(p1 >> 32) ^ c[1] ^ k0, p1 & mask, (p0 >> 32) ^ c[3] ^ k1, p0 & mask]
        k0, k1 = (k0 + 0x9E3779B9) & mask, (k1 + 0xBB67AE85) & mask
    return c


def keep(step, place, block, drop):
    """0, or what the branch is multiplied with; the recipes' seed is 0."""
    op = (DROP_PATH_OP + block) & 0xFFFFFFFF
    bits = philox((0, 0), (0, step, place, op * 0x9E3779B1 & 0xFFFFFFFF))
    return 0.0 if ((bits[0] >> 5) << 26 | bits[1] >> 6) / 2.0 ** 53 < drop else 1 / (1 - drop)


class Dropped(nn.Module):
    """In place of timm's DropPath, of whose rate it is."""

    def __init__(self, block, drop):
        super().__init__()
        self.block, self.drop, self.step = block, drop, 0

    def forward(self, x):
        keeps = [keep(self.step, place, self.block, self.drop) for place in range(len(x))]
        return x * torch.tensor(keeps, dtype=x.dtype)[:, None, None, None]


class WithDropPath(nn.Module):
    """A block of the small network, which has no place for stochastic depth."""

    def __init__(self, block, dropped):
        super().__init__()
        self.__dict__.update(block.__dict__)
        self.dropped = [dropped]

    def forward(self, x):
        y = self.dropped[0](self.bn2(self.conv2(functional.relu(self.bn1(self.conv1(x))))))
        if self.grow:
            x = functional.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, self.grow // 2, self.grow // 2))
        return functional.relu(y + x)


def with_drop_path(model, rate):
    """The network and its drop paths; block i of n has the rate · i / (n − 1), as in timm's ResNets."""
    if not rate:
        return []
    layers = [layer for layer in (model.layer1, model.layer2, model.layer3, getattr(model, "layer4", [])) if len(layer)]
    count, found, number = sum(len(layer) for layer in layers), [], 0
    for layer in layers:
        for i, block in enumerate(layer):
            dropped = Dropped(number, rate * number / (count - 1))
            if hasattr(block, "drop_path"):
                if block.drop_path is not None:
                    assert math.isclose(block.drop_path.drop_prob, dropped.drop), "timm's rate"
                block.drop_path = dropped
            else:
                layer[i] = WithDropPath(block, dropped)
            found.append(dropped)
            number += 1
    return found


# ---- training -----------------------------------------------------------------------------------------------------------

def build(case):
    if case.model.startswith("cifar"):
        return tricks_steps.build(case.model)
    return timm.create_model(case.model, num_classes=CLASSES, zero_init_last=False, drop_path_rate=case.drop_path)


def student_of(case):
    # Scales of 0.2 and not 0 at the end of each block: from 0 LAMB would take its first steps by the sign of rounding.
    return tricks_steps.fill(build(case).double(), 0, tricks_steps.last_norm(case.model), 0.2)


def loss_of(case):
    """(logits, timm's soft targets, classes, λ) → loss. timm's own wherever it has the targets: unsmoothed, the recipes' are its threshold."""
    if case.target in ("soft", "threshold") or (case.target is None and case.smoothing == 0):
        timms = BinaryCrossEntropy(smoothing=case.smoothing, target_threshold=None if case.target == "soft" else TARGET_THRESHOLD)
        return lambda logits, targets, labels, share: timms(logits, targets)

    least = TARGET_THRESHOLD if case.target is None else 0

    def present(logits, targets, labels, share):
        """A class of more than the least share of the picture has the target of an unmixed picture's class."""
        shares = functional.one_hot(labels, CLASSES) * share + functional.one_hot(labels.flip(0), CLASSES) * (1 - share)
        wanted = (shares > least).double() * (1 - case.smoothing) + case.smoothing / CLASSES
        return functional.binary_cross_entropy_with_logits(logits, wanted)

    return present


class Run:
    """The steps of a case; afterwards `losses`, `rates`, `model` (its state dict) and `average` (none)."""

    def __init__(self, case, model, pictures_folder):
        lr = case.lr * math.sqrt(BATCH / 2048)  # train.py: lr_base · √(batch / lr_base_size)
        optimizer = create_optimizer_v2(model, opt="lamb", lr=lr, weight_decay=case.weight_decay)
        scheduler = CosineLRScheduler(optimizer, t_initial=EPOCHS, lr_min=1e-6, warmup_t=WARMUP, warmup_lr_init=1e-4)
        loss, drops = loss_of(case), with_drop_path(model, case.drop_path)
        column = lambda values: torch.tensor(values, dtype=torch.float64)[:, None, None]
        self.losses, self.rates, self.average = [], [], {}
        model.train()
        for step, (pixels, targets, labels, share) in enumerate(Epochs(case, pictures_folder).batches):
            for dropped in drops:
                dropped.step = step
            scheduler.step(step // PER_EPOCH)
            x = (pixels.double() / 255 - column(MEAN)) / column(STD)
            value = loss(model(x), targets, labels, share)
            value.backward()
            optimizer.step()
            optimizer.zero_grad()
            self.losses.append(value.item())
            self.rates.append(optimizer.param_groups[0]["lr"])
        self.model = model.state_dict()


def main():
    torch.set_num_threads(1)
    written = dict(versions=dict(torch=torch.__version__, timm=timm.__version__, pillow=Image.__version__), traces={})
    cases = {}
    for name, case in CASES.items():
        run = Run(case, student_of(case), FOLDER / "pictures")
        written["traces"].setdefault(case.parent, trace(case).splitlines())
        cases[name] = dict(recipe=recipe(case), network=case.model, trace=case.parent, last_gamma=0.2, losses=run.losses, rates=run.rates,
                           model=tricks_steps.fingerprints(run.model))
        print(f"{name:24} {' '.join(f'{loss:.4f}' for loss in run.losses)}")
    lines = ",\n".join(f" {json.dumps(name)}: {json.dumps(case)}" for name, case in cases.items())
    (FOLDER / "strikes_back.json").write_text(json.dumps(written)[:-1] + ', "cases": {\n' + lines + "\n}}\n")


if __name__ == "__main__":
    main()
