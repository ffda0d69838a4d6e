"""Writes tests/golden/predict/cifar_resnet20.json: what PyTorch says with the weights cifar_resnet20.safetensors of the pictures in
cifar10-mini/val (../shared/data), in the order of class names and file names. Needs: torch, pillow, numpy, safetensors.

The network is written down here a second time, straight from its weights' names: a 3×3 convolution to 16 channels, three stages of three
two-convolution blocks at 16, 32, 64 channels, stride 2 where the width doubles, shortcuts without parameters, average over the picture,
one linear layer.
"""
import json
import pathlib

import numpy
import PIL
import torch
import torch.nn.functional as F
from PIL import Image
from safetensors.torch import load_file

ROOT = pathlib.Path(__file__).resolve().parents[2]
DATA = ROOT.parent / "shared/data"
OUT = ROOT / "tests/golden/predict/cifar_resnet20.json"
MEAN, STD = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])


def convolve(w, name, norm, x, stride=1):
    x = F.conv2d(x, w[f"{name}.weight"], stride=stride, padding=1)
    return F.batch_norm(x, w[f"{norm}.running_mean"], w[f"{norm}.running_var"], w[f"{norm}.weight"], w[f"{norm}.bias"], eps=1e-5)


def shortcut(x, channels):
    """Every second row and column, new channels of zeros on both sides of the old ones."""
    if x.shape[1] == channels:
        return x
    lacking = channels - x.shape[1]
    return F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, lacking // 2, lacking - lacking // 2))


def network(w, x):
    x = F.relu(convolve(w, "conv1", "bn1", x))
    for stage, channels in enumerate((16, 32, 64), 1):
        for block in range(3):
            at = f"layer{stage}.{block}"
            y = F.relu(convolve(w, f"{at}.conv1", f"{at}.bn1", x, stride=channels // x.shape[1]))
            x = F.relu(convolve(w, f"{at}.conv2", f"{at}.bn2", y) + shortcut(x, channels))
    return F.linear(x.mean((2, 3)), w["linear.weight"], w["linear.bias"])


def main():
    if not DATA.exists():
        print(f"{OUT.relative_to(ROOT)}: left as it is, since {DATA} is not here")
        return
    weights = load_file(DATA / "weights/cifar_resnet20.safetensors")
    folders = sorted(path for path in (DATA / "cifar10-mini/val").iterdir() if path.is_dir())
    files = [(file, label) for label, folder in enumerate(folders) for file in sorted(folder.iterdir())]
    pictures = [torch.from_numpy(numpy.asarray(Image.open(file).convert("RGB")).copy()) for file, _ in files]
    x = (torch.stack(pictures).float().div(255) - MEAN) / STD
    truth = torch.tensor([label for _, label in files])
    with torch.no_grad():
        logits = torch.cat([network(weights, part) for part in x.permute(0, 3, 1, 2).split(250)])
    top = logits.topk(5).indices
    result = {
        "made_with": {"torch": torch.__version__, "pillow": PIL.__version__},
        "classes": [folder.name for folder in folders],
        "count": len(files),
        "correct_top1": int((top[:, 0] == truth).sum()),
        "correct_top5": int((top == truth[:, None]).any(1).sum()),
        "loss": F.cross_entropy(logits.double(), truth).item(),
        "answers": "".join(str(int(answer)) for answer in top[:, 0]),
        "smallest_gap": float((logits.topk(2).values[:, 0] - logits.topk(2).values[:, 1]).min()),
        "first_files": ["/".join(file.parts[-2:]) for file, _ in files[:3]],
        "first_logits": [[round(v, 6) for v in row] for row in logits[:3].tolist()],
    }
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps(result, indent=1) + "\n")
    print(OUT.relative_to(ROOT), {k: result[k] for k in ("count", "correct_top1", "correct_top5", "loss", "smallest_gap")})


main()
