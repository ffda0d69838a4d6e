"""What timm's evaluation transform and torchvision's crops make of picture files: pipeline.tsv (files of this repository) and
shared.tsv (../shared/data, where it is)."""
# SPDX-License-Identifier: Apache-2.0
import random

import timm
import torchvision
import torchvision.transforms.functional as F
from image_files import FILES, read, row
from image_fixture import SHARED, checksum, write
from PIL import Image, ImageOps
from timm.data import create_transform

draw = random.Random(5)
MODES = {name: F.InterpolationMode(name) for name in ["nearest", "bilinear", "bicubic"]}


def evaluate(image, size, crop_pct, interpolation):
    transform = create_transform(
        (3, size, size), is_training=False, use_prefetcher=True, interpolation=interpolation, crop_pct=crop_pct
    )
    return Image.fromarray(transform(image).numpy().transpose(1, 2, 0))


def some_box(size, low=1):
    w, h = (draw.randint(min(low, side), side) for side in size)
    w, h = draw.choice([(w, h), (w, h), (w, h), (1, h), (w, 1), size])
    return draw.randint(0, size[1] - h), draw.randint(0, size[0] - w), h, w  # top, left, height, width


def jobs(image, crops, evaluations):
    for _ in range(crops):
        top, left, h, w = some_box(image.size)
        yield ("crop", left, top, w, h), F.crop(image, top, left, h, w)
    for _ in range(crops):
        top, left, h, w = some_box(image.size)
        size, name, flip = draw.choice([1, 5, 32, 96, 224]), draw.choice(list(MODES)), draw.randint(0, 1)
        out = F.resized_crop(image, top, left, h, w, [size, size], MODES[name])
        yield ("resized_crop", left, top, w, h, size, name, flip), ImageOps.mirror(out) if flip else out
    for size, crop_pct, name in evaluations:
        yield ("evaluate", size, crop_pct, name), evaluate(image, size, crop_pct, name)


def pads(image):
    for mode in ["constant", "edge", "reflect", "symmetric"]:
        for margins in [(1, 2, 3, 4), (0, 20, 5, 0), (40, 0, 0, 70)]:
            yield ("pad", *margins, mode), F.pad(image, list(margins), (9, 80, 200) if mode == "constant" else 0, mode)
    for size in [(10, 10), (11, 12), (300, 20), (20, 301), (400, 400), (131, 97), (130, 96), (128, 94)]:
        yield ("center", *size), F.center_crop(image, [size[1], size[0]])
    for box in [(-5, -7, 20, 30), (100, 90, 60, 50), (-10, 20, 200, 5)]:
        yield ("crop", *box), image.crop((box[0], box[1], box[0] + box[2], box[1] + box[3]))


def rows(names, folder, crops, evaluations, more=lambda image: ()):
    out = []
    for i, name in enumerate(names):
        image = read(folder / name)
        if image is None:
            continue
        chosen = evaluations(i)
        for op, result in [*jobs(image, crops, chosen), *more(image)]:
            out.append((name, " ".join(map(str, op)), *result.size, checksum(result)))
    return out


EVERY = [(size, pct, name) for size in (224, 64, 17) for pct in (0.875, 0.95, 1.0) for name in ("bilinear", "bicubic")]
COLUMNS = ["file", "operations", "width", "height", "crc32"]

if __name__ == "__main__":
    wide = [p.name for p in sorted(FILES.iterdir()) if (i := read(p)) and min(i.size) > 20]
    out = rows(wide, FILES, 6, lambda i: [EVERY[i % 18], EVERY[(i * 5 + 3) % 18]])
    out += rows(["444.jpg"], FILES, 0, lambda i: EVERY, pads)
    out += rows(["420.jpg", "422.jpg", "420_progressive.jpg", "grey.jpg", "restarts.jpg", "cmyk.jpg"], FILES, 60, lambda i: [])
    write("pipeline.tsv", COLUMNS, out, [torchvision, timm])

    nasty = [line.split("\t")[0] for line in (SHARED / "nasty/manifest.tsv").read_text().splitlines()[1:]]
    write("nasty.tsv", ["file", "verdict", "width", "height", "crc32", "upright"], [row(n, SHARED / "nasty" / n) for n in nasty])
    out = rows([f"nasty/{n}" for n in nasty], SHARED, 4, lambda i: [e for e in EVERY if e[0] == 224])
    for folder, count in {"clothing-mini": 60, "grocery224": 60, "signdigits100": 30, "cifar10-mini": 30, "membrane": 10, "voc-bccd": 20}.items():
        found = sorted(str(p.relative_to(SHARED)) for p in (SHARED / folder).rglob("*") if p.suffix in {".jpg", ".jpeg", ".png", ".JPG"})
        out += rows(draw.sample(found, count), SHARED, 3, lambda i: [EVERY[i % 18], EVERY[(i * 5 + 3) % 18]])
    write("shared.tsv", COLUMNS, out, [torchvision, timm])
