"""Writes tests/golden/nn/cifar_weights.json: what torch answers with akamaster's weights in ../shared/data, on pictures and on formula input.

Pictures: the first of each class of cifar10-mini/val by name, and the count of right answers over all of it (fp32, mean and std of the data's README).
"""
import json
import pathlib

import numpy as np
import safetensors.torch
import torch
from PIL import Image

import nn_formula as formula
from nn_cifar import CifarNet

ROOT = pathlib.Path(__file__).resolve().parents[2]
DATA = ROOT.parent / "shared/data"
MEAN, STD = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])


def picture(path):
    pixels = torch.from_numpy(np.asarray(Image.open(path).convert("RGB")).copy())
    return ((pixels / 255 - MEAN) / STD).permute(2, 0, 1)


def main():
    if not DATA.exists():
        return print(f"{DATA} is not there: cifar_weights.json stays as it is")
    folders = sorted(p for p in (DATA / "cifar10-mini/val").iterdir() if p.is_dir())
    files = [(path, label) for label, folder in enumerate(folders) for path in sorted(folder.iterdir())]
    inputs, labels = torch.stack([picture(path) for path, _ in files]), torch.tensor([label for _, label in files])
    firsts = [next(path for path, label in files if label == k) for k in range(len(folders))]
    result = {"made_by": f"torch {torch.__version__}", "pictures": [str(path.relative_to(DATA)) for path in firsts]}
    for depth in (20, 56):
        state = safetensors.torch.load_file(DATA / f"weights/cifar_resnet{depth}.safetensors")
        network = CifarNet(depth).eval()
        print(network.load_state_dict({k.replace("linear.", "fc."): v for k, v in state.items()}, strict=False))
        with torch.no_grad():
            outputs = torch.cat([network(batch) for batch in inputs.split(250)])
            top = outputs.topk(5).indices == labels[:, None]
            loss = torch.nn.functional.cross_entropy(outputs.double(), labels)
            result[f"cifar_resnet{depth}"] = {
                "count": len(files), "correct_top1": int(top[:, 0].sum()), "correct_top5": int(top.sum()), "loss": float(loss),
                "picture_logits": network(torch.stack([picture(path) for path in firsts])).tolist(),
                "formula_logits": network.double()(formula.tensor(formula.INPUT_TAG, 2, 3, 32, 32)).tolist(),
            }  # fmt: skip
        top2 = outputs.topk(2).values
        print(depth, result[f"cifar_resnet{depth}"]["correct_top1"], "smallest gap between the two best", float((top2[:, 0] - top2[:, 1]).min()))
    out = ROOT / "tests/golden/nn/cifar_weights.json"
    out.write_text(json.dumps(result, indent=1) + "\n")
    print(out.stat().st_size)


main()
