"""Two epochs on 64 made pictures in double, in PyTorch: tests/golden/train/curve.json, the loss of every step.

The initial weights are those that the program (build/satchel) gives a run of no epochs; pictures, network, loss and update
are PyTorch's and this file's own. Pictures come in the order of their names, unaugmented.
"""
import json
import pathlib
import subprocess
import tempfile

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from safetensors import safe_open

OUT = pathlib.Path(__file__).resolve().parents[2] / "tests/golden/train/curve.json"
CLASSES, PER_CLASS, SIDE, BATCH, EPOCHS, LR, MOMENTUM, DECAY, SMOOTHING = 4, 16, 16, 8, 2, 0.05, 0.9, 1e-3, 0.1


def picture(label, number):
    """tests/e2e/program.cpp, write_picture."""
    i = np.arange(SIDE * SIDE * 3, dtype=np.uint64)
    mask = np.uint64(0xFFFFFFFF)
    word = lambda value: np.uint64(value & 0xFFFFFFFF)
    mixed = (i * word(2654435761) & mask) ^ word(number * 2246822519) ^ word(label * 3266489917)
    noise = ((mixed * word(668265263) & mask) >> np.uint64(24)) % np.uint64(80)
    ground = np.array([170 if (label >> k) & 1 else 60 for k in range(3)], dtype=np.uint64)[(i % np.uint64(3)).astype(int)]
    return (ground + noise).astype(np.uint8).reshape(SIDE, SIDE, 3)


def logits(w, x, momentum=0.1):
    """cifar_resnet8 (1512.03385 §4.2): one block a stage, option-A shortcuts."""
    def unit(x, conv, norm, stride=1):
        x = F.conv2d(x, w[conv + ".weight"], stride=stride, padding=1)
        return F.batch_norm(x, w[norm + ".running_mean"], w[norm + ".running_var"], w[norm + ".weight"], w[norm + ".bias"], True, momentum)
    x = F.relu(unit(x, "conv1", "bn1"))
    for stage, stride in ((1, 1), (2, 2), (3, 2)):
        at = f"layer{stage}.0."
        y = unit(F.relu(unit(x, at + "conv1", at + "bn1", stride)), at + "conv2", at + "bn2")
        if stride == 2:
            extra = y.shape[1] - x.shape[1]
            x = F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, extra // 2, extra - extra // 2))
        x = F.relu(y + x)
    return F.linear(x.mean((2, 3)), w["fc.weight"], w["fc.bias"])


def initial_weights(program, folder):
    flags = f"--recipe plain --model cifar_resnet8 --img-size {SIDE} -b {BATCH} --precision fp64 --lr {LR} --epochs 0 --device cpu --output {folder}"
    subprocess.run([program, "train", str(folder / "data"), *flags.split(), "--name", "none"], check=True)
    with safe_open(folder / "none/last.safetensors", "pt") as file:
        return {k: file.get_tensor(k) for k in file.keys()}, [json.loads(file.metadata()[k]) for k in ("mean", "std")]


def main(program):
    pictures = [(picture(c, n), c) for c in range(CLASSES) for n in range(PER_CLASS)]
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for split in ("train", "val"):
            for k, (pixels, label) in enumerate(pictures):
                path = folder / "data" / split / "abcd"[label] / f"{k % PER_CLASS:03}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(pixels).save(path)
        w, (mean, std) = initial_weights(program, folder)
    parameters = [k for k in w if w[k].is_floating_point() and "running" not in k]
    for k in parameters:
        w[k].requires_grad_(True)
    decayed = [w[k] for k in parameters if w[k].ndim > 1]
    rest = [w[k] for k in parameters if w[k].ndim <= 1]
    sgd = torch.optim.SGD([{"params": decayed, "weight_decay": DECAY}, {"params": rest}], lr=LR, momentum=MOMENTUM, nesterov=True)
    losses = []
    for step in range(EPOCHS * len(pictures) // BATCH):
        batch = pictures[step * BATCH % len(pictures):][:BATCH]
        x = torch.tensor(np.stack([p for p, _ in batch])).permute(0, 3, 1, 2).double() / 255
        x = (x - torch.tensor(mean).double().view(3, 1, 1)) / torch.tensor(std).double().view(3, 1, 1)
        loss = F.cross_entropy(logits(w, x), torch.tensor([c for _, c in batch]), label_smoothing=SMOOTHING)
        sgd.zero_grad()
        loss.backward()
        sgd.step()
        losses.append(loss.item())
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps({"versions": {"torch": torch.__version__, "Pillow": Image.__version__}, "losses": losses}, indent=1) + "\n")
    print("\n".join(map(str, losses)))


main(OUT.parents[3] / "build/satchel")
