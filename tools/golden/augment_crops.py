"""Writes tests/golden/augment/crops.{jsonl,txt,law.json}: what timm's random resized crop and flip draw and make of made pictures.

crops.jsonl   the draws, as satchel's trace (docs/reference/trace.md), a line for each picture
crops.txt     versions, then for each picture: name, width, height, seed of its pixels, side of the result, checksum of timm's bytes
crops.law.json  for some sizes, how often timm's boxes have at most a given area, aspect and position, out of 200,000
"""
# SPDX-License-Identifier: Apache-2.0
import contextlib
import json
import pathlib
import random

import numpy as np
import PIL
import timm
import torch
import torchvision
from image_fixture import checksum, made_up
from PIL import Image
from timm.data import transforms as timm_transforms
from timm.data.transforms import RandomResizedCropAndInterpolation
from torchvision.transforms import RandomHorizontalFlip
from torchvision.transforms import functional as F

OUT = pathlib.Path(__file__).resolve().parents[2] / "tests/golden/augment"


def pictures():
    """(width, height, side, least share of the area): sides of one pixel, each side of the pass-order rule, ordinary photographs."""
    def all_of(share, sizes):
        return [(*size, share) for size in sizes]

    yield from all_of(0.08, [(1, 1, 8), (1, 9, 16), (9, 1, 16), (1, 300, 32), (300, 1, 32), (2, 3, 224), (3, 5, 64), (5, 3, 33), (1, 1000, 48), (1000, 1, 48)])
    rng = random.Random(5)
    for _ in range(130):  # boxes of every proportion to the result: both sides of (H-h) > 2*max(W-w, 0)
        yield rng.randint(8, 260), rng.randint(8, 260), rng.choice([24, 48, 96, 128]), 0.08
    for _ in range(70):  # boxes about as large as the result, where the vertical pass often goes first
        side = rng.choice([40, 64, 112])
        yield rng.randint(side, side * 3 // 2), rng.randint(side * 4 // 3, side * 2), side, 0.6
    for _ in range(80):
        yield rng.randint(150, 520), rng.randint(150, 520), rng.choice([96, 160, 224]), 0.08
    yield from all_of(0.08, [(640, 480, 224), (480, 640, 224), (500, 375, 160), (224, 224, 224), (32, 32, 32), (100, 100, 64)])


@contextlib.contextmanager
def watched(crop, drawn, flips):
    """While it lasts, the box and the kernel of timm's `crop` go into `drawn` and a True into `flips` for each picture that is turned over."""
    get_params = RandomResizedCropAndInterpolation.get_params

    def get_params_seen(*args):
        y, x, h, w = get_params(*args)
        drawn.update(x=x, y=y, width=w, height=h)
        return y, x, h, w

    def choice_seen(among):
        chosen = random_choice(among)
        drawn.setdefault("interpolation", chosen.value)  # operations that come after draw theirs
        return chosen

    random_choice = timm_transforms.random.choice
    hflip = F.hflip
    crop.get_params = get_params_seen
    timm_transforms.random.choice = choice_seen
    F.hflip = lambda image: flips.append(True) or hflip(image)
    try:
        yield
    finally:
        timm_transforms.random.choice, F.hflip = random_choice, hflip


def record(width, height, side, share, seed):
    random.seed(seed)
    torch.manual_seed(seed)
    drawn, flips = {}, []
    crop = RandomResizedCropAndInterpolation(side, scale=(share, 1.0), interpolation="random")
    with watched(crop, drawn, flips):
        result = RandomHorizontalFlip(0.5)(crop(made_up(width, height, seed)))
    return drawn, bool(flips), checksum(result)


def vertical_first(drawn, side):
    return drawn["height"] - side > 2 * max(drawn["width"] - side, 0)


def write_crops():
    traces, lines, sides, refused = [], [], {True: 0, False: 0}, 0
    for number, (width, height, side, share) in enumerate(pictures()):
        seed = 1000 + number
        while True:  # timm may round a side of a tiny box to 0, which Pillow refuses
            try:
                drawn, flip, crc = record(width, height, side, share, seed)
                break
            except (ValueError, ZeroDivisionError, SystemError):
                seed, refused = seed + 10000, refused + 1
        name = f"made-{number}"
        sides[vertical_first(drawn, side)] += 1
        traces.append(json.dumps({"picture": name, "ops": [{"random_resized_crop": drawn}, {"hflip": {"flip": flip}}]}))
        lines.append(f"{name} {width} {height} {seed} {side} {crc}")
    versions = f"# timm {timm.__version__}, Pillow {PIL.__version__}, torchvision {torchvision.__version__}; by tools/golden/augment_crops.py"
    (OUT / "crops.jsonl").write_text("\n".join(traces) + "\n")
    (OUT / "crops.txt").write_text("\n".join([versions, *lines]) + "\n")
    print(f"{len(lines)} pictures, {sides[True]} vertical pass first, {sides[False]} horizontal first, {refused} empty boxes drawn again")


def law(width, height, scale, ratio, draws=200_000):
    random.seed(width * 1000 + height)
    image = Image.new("RGB", (width, height))
    boxes = np.array([RandomResizedCropAndInterpolation.get_params(image, scale, ratio) for _ in range(draws)])
    y, x, h, w = boxes.T
    figures = {"area": w * h / (width * height), "aspect": w / h, "x": x.astype(float), "y": y.astype(float), "width": w.astype(float)}
    row = {"width": width, "height": height, "scale": scale, "ratio": ratio, "draws": draws, "at_most": {}}
    for name, values in figures.items():
        points = sorted({float(v) for v in np.quantile(values, [0.02, 0.1, 0.25, 0.5, 0.75, 0.9, 0.98])})
        # A hair above each point, so that rounding in the quotient decides nothing.
        row["at_most"][name] = [[p * (1 + 1e-9), float(np.mean(values <= p * (1 + 1e-9)))] for p in points]
    return row


def write_law():
    whole, ordinary = [0.08, 1.0], [3 / 4, 4 / 3]
    cases = [(500, 375, whole, ordinary), (224, 224, [0.35, 1.0], ordinary), (60, 400, whole, ordinary), (400, 60, whole, ordinary),
             (64, 48, [0.9, 1.0], [1.0, 1.0]), (150, 200, [0.05, 0.2], [0.5, 2.0])]
    versions = {"timm": timm.__version__, "by": "tools/golden/augment_crops.py"}
    (OUT / "crops.law.json").write_text(json.dumps({"versions": versions, "cases": [law(*case) for case in cases]}, indent=1) + "\n")


if __name__ == "__main__":
    assert PIL.__version__ == "13.0.0", "the truth is Pillow 13.0.0"
    OUT.mkdir(parents=True, exist_ok=True)
    write_crops()
    write_law()
