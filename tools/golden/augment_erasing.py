"""Writes tests/golden/augment/erasing.law.json: for some sizes and counts, how often the first box of timm's RandomErasing has at most a given
size and place, and a picture at most a given number of boxes.
"""
# SPDX-License-Identifier: Apache-2.0
import json
import pathlib
import random

import numpy as np
import timm
from timm.data.random_erasing import RandomErasing

OUT = pathlib.Path(__file__).resolve().parents[2] / "tests/golden/augment"
DRAWS = 40000


class Picture:
    """Stands for a tensor; remembers which boxes are set."""

    def __init__(self):
        self.boxes = []

    def __setitem__(self, key, value):
        _, rows, columns = key
        self.boxes.append((columns.start, rows.start, columns.stop - columns.start, rows.stop - rows.start))


def law(width, height, prob, count):
    random.seed(width + count)
    erasing = RandomErasing(prob, mode="const", max_count=count, device="cpu")
    figures = {"boxes": [], "x": [], "y": [], "width": [], "height": []}
    for _ in range(DRAWS):
        picture = Picture()
        erasing._erase(picture, 3, height, width, None)
        found = [b for b in picture.boxes if b[2] > 0 and b[3] > 0]
        figures["boxes"].append(len(found))
        for name, value in zip(("x", "y", "width", "height"), found[0] if found else ()):
            figures[name].append(value)
    points = {name: sorted({float(v) for v in np.quantile(values, [0.03, 0.25, 0.5, 0.75, 0.97], method="nearest")}) for name, values in figures.items()}
    return {"width": width, "height": height, "prob": prob, "count": count, "samples": {name: len(values) for name, values in figures.items()},
            "at_most": {name: [[p, float(np.mean(np.array(figures[name]) <= p))] for p in points[name]] for name in figures}}


cases = [law(224, 224, 0.25, 1), law(64, 48, 1.0, 3), law(30, 200, 0.6, 1), law(7, 9, 1.0, 2)]
versions = {"timm": timm.__version__, "by": "tools/golden/augment_erasing.py"}
(OUT / "erasing.law.json").write_text(json.dumps({"versions": versions, "cases": cases}, indent=1) + "\n")
