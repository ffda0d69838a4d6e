"""Writes tests/golden/augment/cutmix.txt: timm's CutMix boxes and corrected λ for given λ and centres."""
# SPDX-License-Identifier: Apache-2.0
import pathlib
import random
from unittest import mock

import timm
from timm.data import mixup

OUT = pathlib.Path(__file__).resolve().parents[2] / "tests/golden/augment/cutmix.txt"

rng = random.Random(3)
lines = [f"# timm {timm.__version__}, by tools/golden/augment_cutmix.py", "# height width lambda cy cx: x y width height corrected"]
for number in range(120):
    height, width = rng.choice([(224, 224), (32, 32), (160, 96), (7, 5), (1, 9)])
    lam = [rng.random(), rng.betavariate(1, 1) ** 4, 0.0, 1.0][min(number % 7, 3) if number % 7 > 3 else number % 2]
    cy, cx = rng.randrange(height), rng.randrange(width)
    with mock.patch.object(mixup.np.random, "randint", side_effect=[cy, cx]):
        (yl, yh, xl, xh), corrected = mixup.cutmix_bbox_and_lam((3, height, width), lam)
    lines.append(f"{height} {width} {lam!r} {cy} {cx} {xl} {yl} {xh - xl} {yh - yl} {float(corrected)!r}")
OUT.write_text("\n".join(lines) + "\n")
print(f"{OUT.name}: {len(lines) - 2} boxes")
