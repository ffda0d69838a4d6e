"""Writes tests/golden/predict/evaluation_pipeline.{json,bin}: timm's evaluation transform, before normalisation, of pictures made by a
formula that tests/predict/pipeline_test.cpp repeats. The .bin file holds the results one after the other, 16×16×3 bytes each.
Needs: timm, torchvision, pillow, numpy.
"""
import json
import pathlib

import numpy
import PIL
import timm
import torchvision
from PIL import Image
from timm.data import create_transform

ROOT = pathlib.Path(__file__).resolve().parents[2]
OUT = ROOT / "tests/golden/predict/evaluation_pipeline"
SIZES = [(37, 23), (23, 37), (16, 16), (64, 64), (5, 90), (1, 1), (300, 17)]  # width, height


def picture(width, height):
    y, x, c = numpy.meshgrid(numpy.arange(height), numpy.arange(width), numpy.arange(3), indexing="ij")
    return Image.fromarray(((x * 7 + y * 13 + c * 50 + x * y % 31) % 256).astype("uint8"))


def main():
    cases, out = [], b""
    for width, height in SIZES:
        for mode in ("center", "squash", "border"):
            for interpolation, crop_pct in (("bicubic", 0.875), ("bilinear", 0.95), ("bicubic", 1.0)):
                transform = create_transform((3, 16, 16), is_training=False, use_prefetcher=True, interpolation=interpolation, crop_pct=crop_pct,
                                             crop_mode=mode, mean=(0.485, 0.456, 0.406))
                pixels = numpy.asarray(transform(picture(width, height)))
                pixels = pixels.transpose(1, 2, 0) if pixels.shape[0] == 3 else pixels
                assert pixels.shape == (16, 16, 3) and pixels.dtype == numpy.uint8, (pixels.shape, pixels.dtype)
                cases.append({"width": width, "height": height, "crop_mode": mode, "interpolation": interpolation, "crop_pct": crop_pct})
                out += pixels.tobytes()
    made_with = {"timm": timm.__version__, "torchvision": torchvision.__version__, "pillow": PIL.__version__}
    OUT.parent.mkdir(parents=True, exist_ok=True)
    lines = ",\n".join(" " + json.dumps(case) for case in cases)
    OUT.with_suffix(".json").write_text(f'{{"made_with": {json.dumps(made_with)}, "cases": [\n{lines}\n]}}\n')
    OUT.with_suffix(".bin").write_bytes(out)
    print(OUT.relative_to(ROOT), len(cases), "cases", len(out), "bytes")


main()
