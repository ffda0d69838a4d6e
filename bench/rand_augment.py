"""RandAugment on one core, satchel against timm on Pillow: `python bench/rand_augment.py build/satchel_bench [DATA]`.

timm draws operations for pictures of 224 px; both then carry out these draws on these pictures, in blocks in turns. DATA is a folder of
pictures (shared data when it is not given). Printed for the whole policy, and for each operation by itself at the strength of the draws: the
cost of a picture here and there, and the median of the paired ratios with the interval of bench/peers.py. Satchel's cost includes a copy of
the picture into its batch. Exit code 1 when the whole costs more than half of Pillow's.
"""
import json
import os
import pathlib
import random
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np
from peers import interval
from PIL import Image
from timm.data import auto_augment as aa

POLICY = "rand-m9-mstd0.5-inc1"
SINGLE = {"AutoContrast": "auto_contrast", "Equalize": "equalize", "Invert": "invert", "Rotate": "rotate", "PosterizeIncreasing": "posterize",
          "SolarizeIncreasing": "solarize", "SolarizeAdd": "solarize_add", "ColorIncreasing": "color", "ContrastIncreasing": "contrast",
          "BrightnessIncreasing": "brightness", "SharpnessIncreasing": "sharpness", "ShearX": "shear_x", "ShearY": "shear_y",
          "TranslateXRel": "translate_x", "TranslateYRel": "translate_y"}
KERNELS = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}
FILL = (124, 116, 104)


def draws(transform, count):
    """[(name, argument, kernel), ...] for each picture, by timm's own chance."""
    seen = []
    for op in transform.ops:
        op.aug_fn = lambda image, *args, name=op.name, **kwargs: seen[-1].append(
            (name, args[0] if args else 0, random.choice(list(KERNELS)) if "Shear" in name or "Translate" in name or name == "Rotate" else "")) or image
    for _ in range(count):
        seen.append([])
        while True:
            transform(None)
            if all(name != "PosterizeIncreasing" or bits > 0 for name, bits, _ in seen[-1]):
                break
            seen[-1].clear()
    return seen


def pillow(pictures, calls):
    began = time.thread_time()
    for i, picture_calls in enumerate(calls):
        image = pictures[i % len(pictures)]
        for function, argument, kernel in picture_calls:
            kwargs = dict(fillcolor=FILL, resample=KERNELS.get(kernel))
            image = function(image, *argument, **kwargs)
    return (time.thread_time() - began) / len(calls)


def satchel(program, folder):
    command = [program, "--benchmark_filter=^rand_augment", "--benchmark_min_time=0.2", "--benchmark_format=json"]
    done = subprocess.run(command, env={**os.environ, "SATCHEL_BENCH_AUGMENT": folder}, capture_output=True, text=True, check=True)
    return 1 / json.loads(done.stdout)["benchmarks"][0]["items_per_second"]


def compare(name, program, pictures, seen, pairs):
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder)
        (path / "pictures.rgb").write_bytes(b"".join(p.tobytes() for p in pictures))
        lines = [{"picture": str(i), "ops": [{"rand_augment": {"ops": [SINGLE[n] for n, _, _ in calls], "arguments": [float(a) for _, a, _ in calls],
                                                               "interpolations": [k for _, _, k in calls]}}]} for i, calls in enumerate(seen)]
        (path / "trace.jsonl").write_text("\n".join(map(json.dumps, lines)))
        functions = [[(aa.NAME_TO_OP[n], () if aa.LEVEL_TO_ARG[n] is None else (a,), k) for n, a, k in calls] for calls in seen]
        ours, theirs = [], []
        for pair in range(pairs):
            for one in ((0, 1), (1, 0))[pair % 2]:
                ours.append(satchel(program, folder)) if one else theirs.append(pillow(pictures, functions))
        low, median, high = interval([t / o for o, t in zip(ours, theirs)])
        print(f"| {name} | {1e6 * statistics.median(ours):.0f} µs | {1e6 * statistics.median(theirs):.0f} µs | {median:.1f} [{low:.1f}, {high:.1f}] |", flush=True)
        return median


def load(folder, count):
    found = sorted(p for p in pathlib.Path(folder).rglob("*") if p.suffix.lower() in (".jpg", ".jpeg", ".png"))
    chosen = found[:: max(1, len(found) // count)][:count]
    return [Image.open(p).convert("RGB").resize((224, 224)) for p in chosen]


def main():
    program, folder = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "../shared/data/grocery224"
    random.seed(1)
    np.random.seed(1)
    pictures = load(folder, 32)
    transform = aa.rand_augment_transform(POLICY, dict(translate_const=100, img_mean=FILL))
    seen = draws(transform, 256)
    print("| what | satchel | Pillow | ratio |\n|---|---|---|---|")
    whole = compare(f"{POLICY}, one picture of 224 px", program, pictures, seen, 9)
    for name in SINGLE:
        alone = [[call] for calls in seen for call in calls if call[0] == name]
        compare(SINGLE[name], program, pictures, alone, 3)
    sys.exit(whole < 2)


if __name__ == "__main__":
    main()
