"""Writes tests/golden/kernels_normalize.json: normalised bytes as torchvision (ToTensor + Normalize) makes them, as bit patterns of
float32, bfloat16 and float16 and as doubles, and a batch mixed by timm's FastCollateMixup.

    python tools/golden/kernels.py tests/golden
"""
import json
import pathlib
import sys

import numpy as np
import timm
import torch
import torchvision
from PIL import Image
from timm.data.constants import IMAGENET_DEFAULT_MEAN, IMAGENET_DEFAULT_STD, IMAGENET_INCEPTION_MEAN, IMAGENET_INCEPTION_STD
from timm.data.mixup import FastCollateMixup
from torchvision.transforms import Compose, Normalize, ToTensor

NORMS = {
    "imagenet": (IMAGENET_DEFAULT_MEAN, IMAGENET_DEFAULT_STD),
    "inception": (IMAGENET_INCEPTION_MEAN, IMAGENET_INCEPTION_STD),
    "cifar10": ((0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)),
}


def normalised(mean, std):
    ramp = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2)  # [1,256,3]: every byte in every channel
    f32 = Compose([ToTensor(), Normalize(mean, std)])(Image.fromarray(ramp))[:, 0]  # [3,256]
    f64 = torch.from_numpy(ramp).permute(2, 0, 1)[:, 0].double().div(255)
    f64 = f64.sub(torch.tensor(mean, dtype=torch.float64)[:, None]).div(torch.tensor(std, dtype=torch.float64)[:, None])
    bits = lambda t, kind, mask: (t.contiguous().view(kind).to(torch.int64) & mask).flatten().tolist()
    return {
        "mean": mean,
        "std": std,
        "f32": bits(f32, torch.int32, 0xFFFFFFFF),
        "bf16": bits(f32.bfloat16(), torch.int16, 0xFFFF),
        "f16": bits(f32.half(), torch.int16, 0xFFFF),
        "f64": [x.hex() for x in f64.flatten().tolist()],
    }


def mixed():
    """Four 8x16 pictures, partner of i is 3-i, one pair of draws each of mixup (odd ratios) and of cutmix."""
    pictures = np.random.default_rng(3).integers(0, 256, (4, 3, 8, 16), dtype=np.uint8)
    out = []
    for name, lam in (("mixup", 0.3), ("mixup", 0.71828), ("mixup", 0.5), ("cutmix", 0.6)):
        collate = FastCollateMixup(mixup_alpha=1.0, cutmix_alpha=1.0, num_classes=4)
        collate._params_per_batch = lambda name=name, lam=lam: (lam, name == "cutmix")
        np.random.seed(1)
        seen = {}
        import timm.data.mixup as module
        draw = module.cutmix_bbox_and_lam

        def record(*args, **kwargs):
            box, corrected = draw(*args, **kwargs)
            seen["box"] = [int(v) for v in box]
            return box, corrected

        module.cutmix_bbox_and_lam = record
        result, _ = collate([(p.copy(), 0) for p in pictures])
        module.cutmix_bbox_and_lam = draw
        yl, yh, xl, xh = seen.get("box", (0, 0, 0, 0))
        out.append({"lambda": lam, "x": xl, "y": yl, "width": xh - xl, "height": yh - yl,
                    "out": result.permute(0, 2, 3, 1).flatten().tolist()})
    return {"shape": [4, 8, 16], "in": pictures.transpose(0, 2, 3, 1).flatten().tolist(), "cases": out}


def main():
    folder = pathlib.Path(sys.argv[1])
    data = {
        "versions": {"torch": torch.__version__, "torchvision": torchvision.__version__, "timm": timm.__version__},
        "norms": {name: normalised(*norm) for name, norm in NORMS.items()},
        "mixed": mixed(),
    }
    (folder / "kernels_normalize.json").write_text(json.dumps(data, separators=(",", ":")) + "\n")


main()
