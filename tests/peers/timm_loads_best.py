"""timm loads best.safetensors and counts the same right answers: usage timm_loads_best.py PROGRAM (part of `make peers`).

Trains ResNet-18 for a moment. timm is told nothing but the number of classes; it sees the validation pictures through its own transform,
made from the file's metadata as the safetensors package reads it. Needs: timm, safetensors, pillow.
"""
import json
import pathlib
import subprocess
import sys
import tempfile

import safetensors
import timm
import torch
from PIL import Image
from timm.data import create_transform

ROOT = pathlib.Path(__file__).resolve().parents[2]
SIGNS = ROOT.parent / "shared/data/signdigits100"


def run(*command):
    subprocess.run([str(word) for word in command], check=True, stdout=subprocess.DEVNULL)


def count_right(best, data):
    with safetensors.safe_open(best, "pt") as file:
        card = file.metadata()
    classes = json.loads(card["label_names"])
    transform = create_transform(tuple(json.loads(card["input_size"])), crop_pct=float(card["crop_pct"]), interpolation=card["interpolation"],
                                 mean=json.loads(card["mean"]), std=json.loads(card["std"]))
    model = timm.create_model(card["architecture"], num_classes=len(classes), checkpoint_path=str(best)).eval()
    right = count = 0
    with torch.inference_mode():
        for label, name in enumerate(classes):
            for path in sorted((data / "val" / name).iterdir()):
                right += int(model(transform(Image.open(path).convert("RGB"))[None]).argmax()) == label
                count += 1
    return right, count


def main():
    program = pathlib.Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory() as folder:
        work, data = pathlib.Path(folder), SIGNS
        if not data.is_dir():
            data = work / "pictures"
            run(sys.executable, ROOT / "tests/e2e/make_pictures.py", data)
        run(program, "train", data, "--recipe", "plain", "--model", "resnet18", "--img-size", 48, "--batch-size", 8, "--epochs", 1,
            "--lr", 0.01, "--device", "cpu", "--output", work / "runs", "--name", "run")
        best = work / "runs/run/best.safetensors"
        run(program, "val", data, "--weights", best, "--device", "cpu", "--json", work / "val.json")
        said = json.loads((work / "val.json").read_text())
        right, count = count_right(best, data)
        print(f"timm counts {right} of {count} right, satchel {said['correct_top1']} of {said['count']}")
        if (right, count) != (said["correct_top1"], said["count"]):
            sys.exit("they differ")


main()
