"""Writes tests/golden/augment/color.json and swap.law.json: what references make of recorded colour draws, and MXNet's law of boxes.

color.json     for each case: the `augment` list, its draws as a trace, size and seed of the made picture, and the reference's pixels in hex,
               computed in float64 and rounded once (half to even, cut to 0…255). References: torchvision's functions on float pictures, Python's
               colorsys, and NumPy by the formulas of MXNet's HueJitterAug, SaturationJitterAug, BrightnessJitterAug and LightingAug.
swap.law.json  for some sizes, how often boxes drawn with a uniform ratio and swapped sides have at most a given area, aspect and position.
"""
# SPDX-License-Identifier: Apache-2.0
import colorsys
import json
import pathlib
import random

import numpy as np
import torch
import torchvision
from image_fixture import made_up
from torchvision.transforms.v2 import functional as V

OUT = pathlib.Path(__file__).resolve().parents[2] / "tests/golden/augment"
SIZES = [(12, 10), (7, 13), (16, 9)]
GREY = np.array([0.299, 0.587, 0.114])
TO_YIQ = np.array([[0.299, 0.587, 0.114], [0.596, -0.274, -0.321], [0.211, -0.523, 0.311]])
FROM_YIQ = np.array([[1.0, 0.956, 0.621], [1.0, -0.272, -0.647], [1.0, -1.107, 1.705]])
VALUES = np.array([55.46, 4.794, 1.148])
VECTORS = np.array([[-0.5675, 0.7192, 0.4009], [-0.5808, -0.0045, -0.8140], [-0.5836, -0.6948, 0.4203]])


def with_torchvision(x, letter, c):
    functions = {"b": V.adjust_brightness, "c": V.adjust_contrast, "s": V.adjust_saturation, "h": lambda t, f: V.adjust_hue(t, f - 1)}
    t = torch.from_numpy(x / 255).permute(2, 0, 1)
    return functions[letter](t, c).permute(1, 2, 0).numpy() * 255


def with_numpy(x, letter, c, hue, grey=GREY):
    if letter == "b":
        return x * c
    if letter == "c":
        return x * c + (1 - c) * np.mean(x @ grey)
    if letter == "s":
        return x * c + (1 - c) * (x @ grey)[..., None]
    if hue == "yiq":
        u, w = np.cos((c - 1) * np.pi), np.sin((c - 1) * np.pi)
        turn = np.array([[1, 0, 0], [0, u, -w], [0, w, u]])
        return x @ (FROM_YIQ @ turn @ TO_YIQ).T
    flat = [colorsys.hsv_to_rgb(h * c % 1, s, v) for h, s, v in (colorsys.rgb_to_hsv(*p) for p in x.reshape(-1, 3))]
    return np.array(flat).reshape(x.shape)


def cases():
    rng = random.Random(11)

    def jitter(kind, options, step):
        order = "".join(rng.sample(kind, len(kind))) if "random" in options else kind
        return "{ color_jitter = { kind = \"%s\", %s } }" % (kind, options), order, [rng.uniform(0.6, 1.4) for _ in order], step

    for _ in range(6):
        yield *jitter("bcs", 'order = "random"', with_torchvision), None
        yield *jitter("bcsh", 'order = "random", hue = "shift"', with_torchvision), None
        yield *jitter("hsb", 'order = "fixed", clip = false', lambda x, o, c: with_numpy(x, o, c, "yiq")), None
        yield *jitter("hsb", 'order = "fixed", clip = false', lambda x, o, c: with_numpy(x, o, c, "yiq")), [rng.gauss(0, 0.1) for _ in range(3)]
        yield *jitter("hsb", 'order = "random", clip = false, hue = "hsv"',
                      lambda x, o, c: with_numpy(x, o, c, "hsv")), None
        yield *jitter("bcs", 'order = "random", clip = false, grey = "bgr"', lambda x, o, c: with_numpy(x, o, c, "", GREY[::-1])), None
    yield *jitter("bcs", 'order = "random"', with_torchvision), [1.5, -2.0, 0.7]  # a shift far beyond what chance gives


def write_colors():
    rows = []
    for number, (text, order, coefficients, step, alpha) in enumerate(cases()):
        width, height = SIZES[number % len(SIZES)]
        x = np.asarray(made_up(width, height, number)).astype(np.float64)
        for letter, c in zip(order, coefficients):
            x = step(x, letter, c)
        ops = [{"color_jitter": {"order": order, "coefficients": coefficients}}]
        if alpha:
            x = x + VECTORS @ (VALUES * np.array(alpha))
            text += ", { lighting = {} }"
            ops.append({"lighting": {"alpha": alpha}})
        pixels = np.clip(np.rint(x), 0, 255).astype(np.uint8)
        rows.append({"augment": text, "trace": {"picture": str(number), "ops": ops}, "width": width, "height": height, "seed": number,
                     "pixels": pixels.tobytes().hex()})
    versions = {"torchvision": torchvision.__version__, "numpy": np.__version__, "by": "tools/golden/augment_color.py"}
    (OUT / "color.json").write_text(json.dumps({"versions": versions, "cases": rows}, indent=0) + "\n")


def box(rng, width, height, scale, size):
    for _ in range(10):
        target, ratio = rng.uniform(*scale) * width * height, rng.uniform(3 / 4, 4 / 3)
        y, x = round((target / ratio) ** 0.5), round((target * ratio) ** 0.5)
        if rng.random() < 0.5:
            x, y = y, x
        if x <= width and y <= height:
            return rng.randint(0, width - x), rng.randint(0, height - y), x, y
    side = min(size, width, height)
    return (width - side) // 2, (height - side) // 2, side, side


def write_law():
    cases, draws = [], 100000
    for width, height, scale in [(500, 375, [0.08, 1.0]), (224, 224, [0.35, 1.0]), (60, 400, [0.08, 1.0])]:
        rng = random.Random(width)
        x, y, w, h = np.array([box(rng, width, height, scale, 8) for _ in range(draws)]).T
        figures = {"area": w * h / (width * height), "aspect": w / h, "x": x.astype(float), "y": y.astype(float), "width": w.astype(float)}
        row = {"width": width, "height": height, "scale": scale, "ratio": [3 / 4, 4 / 3], "draws": draws, "at_most": {}}
        for name, values in figures.items():
            points = sorted({float(v) for v in np.quantile(values, [0.02, 0.1, 0.25, 0.5, 0.75, 0.9, 0.98])})
            row["at_most"][name] = [[p * (1 + 1e-9), float(np.mean(values <= p * (1 + 1e-9)))] for p in points]
        cases.append(row)
    (OUT / "swap.law.json").write_text(json.dumps({"by": "tools/golden/augment_color.py", "cases": cases}, indent=1) + "\n")


write_colors()
write_law()
