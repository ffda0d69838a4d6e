"""Fixtures of resize: checksums of PIL.Image.resize over made-up pictures, all filters, both orders of passes, sides of one pixel, boxes."""
# SPDX-License-Identifier: Apache-2.0
import random

from image_fixture import FILTERS, checksum, made_up, write

draw = random.Random(13)


def side():
    return draw.choice([1, 2, 3, draw.randint(4, 40), draw.randint(4, 40), draw.randint(41, 300), draw.randint(41, 300)])


def row(seed, name, size, target, box=None):
    out = made_up(*size, seed).resize(target, FILTERS[name], box)
    x0, y0, x1, y1 = box or (0, 0, *size)
    return (seed, *size, name, *target, x0, y0, x1 - x0, y1 - y0, checksum(out))


rows = []
for i in range(600):
    size = (side(), side())
    target = draw.choice([(side(), side()), (size[0], side()), (side(), size[1]), (224, 224), size])
    rows.append(row(i, list(FILTERS)[i % 6], size, target))
for i in range(300):
    size = (draw.randint(2, 300), draw.randint(2, 300))
    x0, y0 = draw.randint(0, size[0] - 1), draw.randint(0, size[1] - 1)
    box = (x0, y0, draw.randint(x0 + 1, size[0]), draw.randint(y0 + 1, size[1]))
    target = draw.choice([(side(), side()), (box[2] - box[0], side()), (box[2] - box[0], box[3] - box[1]), (64, 64)])
    rows.append(row(1000 + i, list(FILTERS)[i % 6], size, target, box))
# The order of passes turns where H - h = 2 max(W - w, 0): one pixel at each side of it, and pictures far taller than wide.
for i in range(120):
    w, h, wide = draw.randint(1, 60), draw.randint(1, 60), draw.randint(1, 120)
    high = max(1, h + 2 * max(wide - w, 0) + draw.choice([-1, 0, 1, 2]))
    rows.append(row(2000 + i, draw.choice(["bilinear", "bicubic", "lanczos"]), (wide, high), (w, h)))
for i in range(30):
    rows.append(row(3000 + i, list(FILTERS)[i % 6], (draw.randint(1, 4), draw.randint(300, 900)), (draw.randint(1, 30), draw.randint(1, 30))))
write("resize.tsv", ["seed", "width", "height", "filter", "to_width", "to_height", "x", "y", "box_width", "box_height", "crc32"], rows)
