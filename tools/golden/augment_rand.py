"""Writes what Pillow, timm and torchvision make of the operations of RandAugment and its kin, and how often they draw which.

tests/golden/image/operations.tsv   each operation with its argument on pictures of many shapes: checksum of Pillow's bytes
tests/golden/augment/rand.jsonl     draws of timm's and torchvision's transforms, as satchel's trace (docs/reference/trace.md), a line a picture
tests/golden/augment/rand.txt       versions, then for each picture: name, width, height, seed, checksum of the result, augment list
tests/golden/augment/rand.law.json  for each augment list, the share of each operation, and of its arguments at most as large as some
"""
# SPDX-License-Identifier: Apache-2.0
import json
import pathlib
import random

import numpy as np
import PIL
import timm
import torch
import torchvision
from image_fixture import checksum, made_up, write
from PIL import Image, ImageEnhance, ImageFilter, ImageOps
from timm.data import auto_augment as aa
from torchvision.transforms import autoaugment as tv

OUT = pathlib.Path(__file__).resolve().parents[2] / "tests/golden/augment"
FILL = (124, 116, 104)
SIZES = [(1, 1), (1, 7), (9, 1), (2, 2), (3, 3), (2, 31), (17, 5), (32, 32), (50, 37), (64, 81)]
KERNELS = {"nearest": Image.Resampling.NEAREST, "bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}
ENHANCERS = {"color": ImageEnhance.Color, "contrast": ImageEnhance.Contrast, "brightness": ImageEnhance.Brightness, "sharpness": ImageEnhance.Sharpness}
SINGLE = {
    "AutoContrast": "auto_contrast", "Equalize": "equalize", "Invert": "invert", "Rotate": "rotate", "Posterize": "posterize",
    "PosterizeIncreasing": "posterize", "PosterizeOriginal": "posterize", "Solarize": "solarize", "SolarizeIncreasing": "solarize",
    "SolarizeAdd": "solarize_add", "Color": "color", "ColorIncreasing": "color", "Contrast": "contrast", "ContrastIncreasing": "contrast",
    "Brightness": "brightness", "BrightnessIncreasing": "brightness", "Sharpness": "sharpness", "SharpnessIncreasing": "sharpness",
    "ShearX": "shear_x", "ShearY": "shear_y", "TranslateXRel": "translate_x", "TranslateYRel": "translate_y", "Desaturate": "color",
    "GaussianBlur": "gaussian_blur", "GaussianBlurRand": "gaussian_blur", "TranslateX": "translate_x_pixels", "TranslateY": "translate_y_pixels",
}
GEOMETRIC = {"rotate", "shear_x", "shear_y", "translate_x", "translate_y", "translate_x_pixels", "translate_y_pixels"}


def picture(width, height, seed):
    """The made-up picture; of every odd seed only a third of the tones, so that there is something to stretch."""
    image = made_up(width, height, seed)
    return image.point([v // 3 + 40 for v in range(256)] * 3) if seed % 2 else image


# ---- every operation by itself --------------------------------------------------------------------------------------------------


def timms(name, level):
    """timm's arguments at this level, of both signs."""
    function = aa.LEVEL_TO_ARG[name]
    if function is None:
        return [0]
    hparams, found = dict(translate_const=100, img_mean=FILL), []
    for uniform in (0.25, 0.75):
        aa.random.random, kept = (lambda: uniform), aa.random.random
        found.append(function(level, hparams)[0])
        aa.random.random = kept
    return sorted(set(found))


def apply(image, name, argument, kernel):
    kwargs = dict(fillcolor=FILL, resample=KERNELS.get(kernel))
    if name == "posterize":
        return image if argument >= 8 else ImageOps.posterize(image, int(argument))
    if name == "gaussian_blur":
        return image.filter(ImageFilter.GaussianBlur(radius=argument))
    if name in ENHANCERS:
        return ENHANCERS[name](image).enhance(argument)
    functions = {"auto_contrast": lambda i: aa.auto_contrast(i), "equalize": lambda i: aa.equalize(i), "invert": lambda i: aa.invert(i),
                 "solarize": lambda i: ImageOps.solarize(i, argument), "solarize_add": lambda i: aa.solarize_add(i, argument),
                 "rotate": lambda i: aa.rotate(i, argument, **kwargs), "shear_x": lambda i: aa.shear_x(i, argument, **kwargs),
                 "shear_y": lambda i: aa.shear_y(i, argument, **kwargs), "translate_x": lambda i: aa.translate_x_rel(i, argument, **kwargs),
                 "translate_y": lambda i: aa.translate_y_rel(i, argument, **kwargs),
                 "translate_x_pixels": lambda i: aa.translate_x_abs(i, argument, **kwargs),
                 "translate_y_pixels": lambda i: aa.translate_y_abs(i, argument, **kwargs)}
    return functions[name](image)


def arguments():
    found = {(SINGLE[name], float(a)) for name in SINGLE if name != "GaussianBlurRand" for level in (0, 3, 7, 10) for a in timms(name, level)}
    found |= {("rotate", a) for a in (45, 90, -90, 180, 270, 359.9999999999999, -1e-20, 720, 133.7)}
    found |= {("posterize", b) for b in range(1, 9)} | {("solarize", t) for t in (0, 1, 127.5, 255, 256)} | {("solarize_add", a) for a in (1, 128)}
    found |= {(e, f) for e in ENHANCERS for f in (0, 0.5, 1, 2.5)} | {("gaussian_blur", r) for r in (0, 0.05, 1, 5.5, 40)}
    found |= {(s, f) for s in ("shear_x", "shear_y") for f in (0.99, -2.5)} | {(t, p) for t in ("translate_x_pixels", "translate_y_pixels") for p in (-3, 32)}
    return sorted((n, a) for n, a in found if (n, a) != ("posterize", 0))  # Pillow 13 refuses to keep no bit


def write_operations():
    rows = []
    for number, (width, height) in enumerate(SIZES):
        image = picture(width, height, number)
        for name, argument in arguments():
            for kernel in KERNELS if name in GEOMETRIC else ["-"]:
                rows.append([name, repr(float(argument)), kernel, width, height, number, checksum(apply(image, name, argument, kernel))])
    # Larger than the tables of a block, and so far away that 16.16 does not reach.
    for seed, (width, height), calls in [(20, (233, 301), [(n, a) for n, a in arguments() if n != "gaussian_blur"]), (21, (40000, 3), [("shear_y", 0.3), ("rotate", 10)])]:
        image = picture(width, height, seed)
        for name, argument in calls:
            for kernel in KERNELS if name in GEOMETRIC else ["-"]:
                rows.append([name, repr(float(argument)), kernel, width, height, seed, checksum(apply(image, name, argument, kernel))])
    write("operations.tsv", ["operation", "argument", "kernel", "width", "height", "seed", "checksum"], rows)


# ---- draws of timm and torchvision ----------------------------------------------------------------------------------------------


class Recorder:
    """What the operations of a transform were called with."""

    def __init__(self):
        self.calls, self.chains, self.kernel, self.radius, self.dirichlet, self.beta = [], [], "", None, None, None
        interpolation, blur = aa._interpolation, aa.ImageFilter.GaussianBlur

        def interpolation_seen(kwargs):
            chosen = interpolation(kwargs)
            self.kernel = chosen.name.lower()
            return chosen

        def blur_seen(radius):
            self.radius = radius
            return blur(radius=radius)

        aa._interpolation, aa.ImageFilter.GaussianBlur = interpolation_seen, blur_seen

    def watch(self, op):
        function = op.aug_fn

        def seen(image, *args, **kwargs):
            self.kernel = ""
            result = function(image, *args, **kwargs)
            argument = args[0] if args else 0
            if op.name == "Desaturate":
                argument = min(1.0, max(0.0, 1.0 - argument))
            if op.name == "GaussianBlurRand":
                argument = self.radius
            self.calls.append((SINGLE[op.name], float(argument), self.kernel))
            return result

        op.aug_fn = seen

    def take(self):
        calls, self.calls = self.calls, []
        return {"ops": [c[0] for c in calls], "arguments": [c[1] for c in calls], "interpolations": [c[2] for c in calls]}


RECORDER = Recorder()


def timm_transform(policy, size):
    hparams = dict(translate_const=int(size * 0.45), img_mean=FILL)
    if policy.startswith("rand"):
        transform = aa.rand_augment_transform(policy, hparams)
        ops = transform.ops
    elif policy.startswith("augmix"):
        hparams["translate_pct"] = 0.3
        transform = aa.augment_and_mix_transform(policy, hparams)
        ops = transform.ops
    else:
        transform = aa.auto_augment_transform(policy, hparams)
        ops = [op for pair in transform.policy for op in pair]
    for op in ops:
        RECORDER.watch(op)
    return transform


def augmix_drawn(transform, image):
    """Weights and blend by the same calls, depths by watching randint."""
    weights, blends, depths = [], [], []
    dirichlet, beta, randint = np.random.dirichlet, np.random.beta, np.random.randint

    def keep(function, into):
        def seen(*args):
            value = function(*args)
            into.append(value)
            return value
        return seen

    np.random.dirichlet, np.random.beta, np.random.randint = keep(dirichlet, weights), keep(beta, blends), keep(randint, depths)
    try:
        result = transform(image)
    finally:
        np.random.dirichlet, np.random.beta, np.random.randint = dirichlet, beta, randint
    width = transform.width
    drawn = {"weights": [float(w) for w in np.float32(weights[0])], "blend": float(np.float32(blends[0])),
             "depths": [int(d) for d in depths] if depths else [transform.depth] * width}
    return result, {**drawn, **RECORDER.take()}


def trivial_drawn(transform, image):
    seen, apply_op = [], tv._apply_op

    def apply_seen(img, op_name, magnitude, **kwargs):
        seen.append((op_name, magnitude))
        return apply_op(img, op_name, magnitude, **kwargs)

    tv._apply_op = apply_seen
    try:
        result = transform(image)
    finally:
        tv._apply_op = apply_op
    (name, magnitude), = seen
    if name == "Identity":
        return result, {"ops": [], "arguments": [], "interpolations": []}
    single = SINGLE[name]
    argument = magnitude
    if single.startswith("shear"):
        argument = float(np.tan(np.radians(np.degrees(np.arctan(magnitude)))))
    if single.startswith("translate"):
        argument = -int(magnitude)
    if single in ENHANCERS:
        argument = 1 + magnitude
    if single in ("auto_contrast", "equalize"):
        argument = 0
    return result, {"ops": [single], "arguments": [float(argument)], "interpolations": ["nearest" if single in GEOMETRIC else ""]}


def draw(name, transform, image):
    if name == "augmix":
        return augmix_drawn(transform, image)
    if name == "trivial_augment_wide":
        return trivial_drawn(transform, image)
    RECORDER.take()
    result = transform(image)
    return result, RECORDER.take()


RAND = ["rand-m7-mstd0.5-inc1", "rand-m9-mstd0.5-inc1", "rand-m9-n3-mstd0.5", "rand-m9-mstd101-inc1", "rand-m8-tweights-n4", "rand-m8-t3a", "rand-t3aw-n5-p0.9",
        "rand-m12-mmax15-mstd1-p1-n4"]
LISTS = [("rand_augment", p) for p in RAND] + [("auto_augment", p) for p in ("v0", "v0r", "original-mstd0.5", "originalr", "3a")]
LISTS += [("augmix", p) for p in ("augmix-m3-w3", "augmix-m5-w4-d2-mstd1", "augmix-m3-w3-b1")] + [("trivial_augment_wide", "")]
WIDE = [("auto_augment", "original-mstd101"), ("augmix", "augmix-m3-w3-mstd101")]  # normal all the same; rand- alone makes it uniform


def transform_of(name, policy, size):
    return tv.TrivialAugmentWide() if name == "trivial_augment_wide" else timm_transform(policy, size)


def list_of(name, policy):
    return "{ %s = { policy = \"%s\" } }" % (name, policy) if policy else "{ %s = {} }" % name


def seeded(seed):
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


def write_replays():
    traces, lines, refused = [], [], 0
    for which, (name, policy) in enumerate(LISTS):
        for number in range(60 if policy in RAND[:2] else 24):
            width, height = SIZES[number % 10] if number < 20 else (96, 96) if number % 2 else (70, 100)
            seed = 1000 * which + number
            image = picture(width, height, number)
            seeded(seed)
            while True:
                try:
                    result, drawn = draw(name, transform_of(name, policy, min(width, height)), image)
                    break
                except ValueError:  # posterize to 0 bits
                    RECORDER.take()
                    refused += 1
            title = f"{which}-{number}"
            traces.append(json.dumps({"picture": title, "ops": [{name: drawn}]}))
            lines.append(f"{title} {width} {height} {number} {checksum(result)} {list_of(name, policy)}")
    versions = f"# timm {timm.__version__}, Pillow {PIL.__version__}, torchvision {torchvision.__version__}, numpy {np.__version__}; by tools/golden/augment_rand.py"
    (OUT / "rand.jsonl").write_text("\n".join(traces) + "\n")
    (OUT / "rand.txt").write_text("\n".join([versions, *lines]) + "\n")
    print(f"{len(lines)} replays, {refused} refused by Pillow and drawn again")


def write_laws():
    ImageOps.posterize, image, cases = (lambda i, bits: i), Image.new("RGB", (1, 1)), []  # chance alone: every argument counts
    for name, policy in LISTS + WIDE:
        if name == "augmix" and policy not in ("augmix-m3-w3", WIDE[1][1]):
            continue
        seeded(len(cases))
        transform, draws = transform_of(name, policy, 224), 8000
        drawn = [draw(name, transform, image)[1] for _ in range(draws)]
        figures = {}
        for d in drawn:
            for op, argument, kernel in zip(d["ops"], d["arguments"], d["interpolations"]):
                figures.setdefault(op, []).append(argument)
                if kernel:
                    figures.setdefault(op + " bicubic", []).append(float(kernel == "bicubic"))
        figures["count"] = [float(len(d["ops"])) for d in drawn]
        if name == "augmix":
            figures["blend"] = [d["blend"] for d in drawn]
            figures["weight"] = [d["weights"][0] for d in drawn]
            figures["depth"] = [float(d["depths"][0]) for d in drawn]
        row = {"augment": list_of(name, policy), "draws": draws, "figures": {}}
        for figure, values in sorted(figures.items()):
            # A hair above each point, so that rounding decides nothing.
            points = sorted({float(v) + 1e-9 for v in np.quantile(values, [0.03, 0.25, 0.5, 0.75, 0.97], method="nearest")})
            row["figures"][figure] = {"per_picture": len(values) / draws, "at_most": [[p, float(np.mean(np.array(values) <= p))] for p in points]}
        cases.append(row)
    versions = {"timm": timm.__version__, "torchvision": torchvision.__version__, "by": "tools/golden/augment_rand.py"}
    text = json.dumps({"versions": versions, "cases": cases}).replace('{"augment"', '\n{"augment"')
    (OUT / "rand.law.json").write_text(text + "\n")


if __name__ == "__main__":
    assert PIL.__version__ == "13.0.0", "the truth is Pillow 13.0.0"
    write_operations()
    write_replays()
    write_laws()
