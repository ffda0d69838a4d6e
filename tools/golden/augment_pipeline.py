"""Writes tests/golden/augment/pipeline/: what timm's whole training transform and its mixing collate make of photographs.

NAME.jsonl   for procedures A1, A2, A3 of ResNet strikes back: the draws, as satchel's trace (docs/reference/trace.md), a line a picture
NAME.tsv     versions, then for each picture in its place: file below shared/data, checksum of timm's bytes before mixing, and after it
"""
# SPDX-License-Identifier: Apache-2.0
import json
import random

import augment_rand
import numpy as np
import PIL
import timm
from augment_crops import watched
from image_fixture import SHARED, checksum
from PIL import Image
from timm.data import create_transform, mixup

OUT = augment_rand.OUT / "pipeline"
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
BATCH, BATCHES = 6, 4
# 2110.00476, table of the procedures: side, RandAugment, α of mixup; CutMix has 1.0.
PROCEDURES = {"rsb-a1": (224, "rand-m7-mstd0.5-inc1", 0.2), "rsb-a2": (224, "rand-m7-mstd0.5-inc1", 0.1), "rsb-a3": (160, "rand-m6-mstd0.5-inc1", 0.1)}


def photographs(count):
    files = sorted((SHARED / "clothing-mini/train").glob("*/*.jpg")) + sorted((SHARED / "signdigits100/train").glob("*/*.jpg"))
    return random.Random(3).sample(files, count)


def transformed(transform, file):
    """The bytes [3,H,W], a tensor, that timm's loader gets of a file, and their draws."""
    crop, _, policy, _ = transform.transforms
    drawn, flips = {}, []
    augment_rand.RECORDER.take()
    with watched(crop, drawn, flips):
        pixels = transform(Image.open(file).convert("RGB"))
    return pixels, [{"random_resized_crop": drawn}, {"hflip": {"flip": bool(flips)}}, {"rand_augment": augment_rand.RECORDER.take()}]


def mixed(collate, batch):
    """timm's bytes [N,3,H,W] of a batch, and how the pictures were mixed."""
    seen = {}
    params, box = collate._params_per_batch, mixup.cutmix_bbox_and_lam

    def params_seen():
        seen["lambda"], _ = params()
        return seen["lambda"], _

    def box_seen(*args, **kwargs):
        (top, bottom, left, right), seen["lambda"] = box(*args, **kwargs)
        seen.update(x=int(left), y=int(top), width=int(right - left), height=int(bottom - top))
        return (top, bottom, left, right), seen["lambda"]

    collate._params_per_batch, mixup.cutmix_bbox_and_lam = params_seen, box_seen
    try:
        pixels, _ = collate([(picture, 0) for picture in batch])
    finally:
        collate._params_per_batch, mixup.cutmix_bbox_and_lam = params, box
    seen["lambda"] = float(seen["lambda"])
    return pixels.numpy(), [{"partner": len(batch) - 1 - i, **seen} for i in range(len(batch))]


def write(name, side, policy, alpha, seed):
    augment_rand.seeded(seed)
    transform = create_transform(side, is_training=True, use_prefetcher=True, auto_augment=policy, interpolation="random", mean=MEAN, std=STD)
    for op in transform.transforms[2].ops:
        augment_rand.RECORDER.watch(op)
    collate = mixup.FastCollateMixup(mixup_alpha=alpha, cutmix_alpha=1.0, label_smoothing=0.0, num_classes=10)
    files = photographs(BATCH * BATCHES)
    traces, rows = [], []
    for first in range(0, len(files), BATCH):
        batch = [transformed(transform, file) for file in files[first:first + BATCH]]
        results, mixes = mixed(collate, [pixels for pixels, _ in batch])
        for i, (pixels, ops) in enumerate(batch):
            file = str(files[first + i].relative_to(SHARED))
            traces.append({"picture": file, "epoch": 0, "place": first + i, "ops": ops, "mix": mixes[i]})
            rows.append(f"{file}\t{checksum(pixels.numpy().transpose(1, 2, 0))}\t{checksum(results[i].transpose(1, 2, 0))}")
    versions = f"# timm {timm.__version__}, Pillow {PIL.__version__}, numpy {np.__version__}; by tools/golden/augment_pipeline.py"
    (OUT / f"{name}.jsonl").write_text("".join(json.dumps(trace) + "\n" for trace in traces))
    (OUT / f"{name}.tsv").write_text("\n".join([versions, *rows]) + "\n")
    boxes = sum("width" in trace["mix"] for trace in traces)
    print(f"{name}: {len(rows)} pictures, {boxes} with a box, {sum(len(t['ops'][2]['rand_augment']['ops']) for t in traces)} operations")


if __name__ == "__main__":
    assert PIL.__version__ == "13.0.0", "the truth is Pillow 13.0.0"
    OUT.mkdir(parents=True, exist_ok=True)
    for number, (name, (side, policy, alpha)) in enumerate(PROCEDURES.items()):
        write(name, side, policy, alpha, 40 + number)
