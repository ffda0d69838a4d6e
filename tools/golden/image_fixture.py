"""What the image_*.py fixture writers share: the made-up picture, the checksum, the heading with versions."""
# SPDX-License-Identifier: Apache-2.0
import sys
import zlib
from pathlib import Path

import numpy as np
import PIL
from PIL import Image

FOLDER = Path(__file__).resolve().parents[2] / "tests" / "golden" / "image"
SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
FILTERS = {
    "nearest": Image.Resampling.NEAREST,
    "box": Image.Resampling.BOX,
    "bilinear": Image.Resampling.BILINEAR,
    "hamming": Image.Resampling.HAMMING,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}


def made_up(width, height, seed):
    """Slopes, noise, and enough black and white beside each other to reach both ends. tests/image/golden.h makes the same."""
    x, y, c = np.meshgrid(
        np.arange(width, dtype=np.uint64), np.arange(height, dtype=np.uint64), np.arange(3, dtype=np.uint64), indexing="xy"
    )
    mixed = (x * 73856093) ^ (y * 19349663) ^ (c * 83492791) ^ np.uint64(seed * 2654435761)
    noise = ((mixed & 0xFFFFFFFF) * 2654435761 & 0xFFFFFFFF) >> 20
    value = (x * 3 + y * 5 + c * 40 + (noise & 31)) & 255
    value = np.where(noise >> 5 & 7 == 0, 0, np.where(noise >> 5 & 7 == 1, 255, value))
    return Image.fromarray(value.astype(np.uint8))


def checksum(image):
    return f"{zlib.crc32(image.tobytes() if isinstance(image, Image.Image) else np.ascontiguousarray(image).tobytes()):08x}"


def write(name, columns, rows, modules=()):
    versions = ", ".join([f"Pillow {PIL.__version__}"] + [f"{m.__name__} {m.__version__}" for m in modules])
    FOLDER.mkdir(parents=True, exist_ok=True)
    with open(FOLDER / name, "w") as out:
        out.write(f"# {versions}; written by tools/golden/{Path(sys.argv[0]).name}\n")
        out.write("# " + "\t".join(columns) + "\n")
        for row in rows:
            out.write("\t".join(str(value) for value in row) + "\n")
    print(f"{FOLDER / name}: {len(rows)} rows")
