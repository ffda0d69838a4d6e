"""Ten training steps of PyTorch in double: the truth for `satchel train`. tests/peers/train_steps.py takes `Steps` from here for ResNet-18
and ResNet-50, tricks_steps.py the pictures, the formula of the weights and the small network. Run by itself it writes the pictures of
tests/golden/train/steps.

What is exercised: momentum, Nesterov, no decay on norms and biases, a warm-up per step, a cosine, accumulation over two parts with
batch norm over each part, the exponential average. Pictures are resized and centre-cropped; nothing is left to chance.
"""
import math
import pathlib
import shutil

import numpy as np
import torch
from PIL import Image
from torch import nn
from torch.nn import functional
from torchvision import transforms

OUT = pathlib.Path(__file__).resolve().parents[2] / "tests/golden/train/steps"
CLASSES, PER_CLASS, BATCH, PARTS, STEPS, WARMUP = 12, 2, 8, 2, 10, 4
LR, MOMENTUM, WEIGHT_DECAY, EMA_DECAY = 0.05, 0.9, 0.01, 0.8
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)

RECIPE = """\
extends   = "plain"
model     = {{ {model} = {{}} }}
augment   = [ {{ resize = {{ size = {size}, interpolation = "bicubic" }} }}, {{ center_crop = {{ size = {size} }} }} ]
optimizer = {{ sgd = {{ lr = {lr}, momentum = {momentum}, nesterov = true, weight_decay = {weight_decay} }} }}
schedule  = {{ cosine = {{ warmup = "{warmup} steps" }} }}
ema       = {{ exponential = {{ decay = {ema_decay} }} }}
[train]
length     = "{steps} steps"
batch      = {batch}
accumulate = {parts}
precision  = "fp64"
mean       = {mean}
std        = {std}
[sampler]
shuffle = false
[evaluate]
augment = [ {{ resize = {{ size = {size}, interpolation = "bicubic" }} }}, {{ center_crop = {{ size = {size} }} }} ]
"""


def recipe(model, size, lr=LR):
    return RECIPE.format(model=model, size=size, lr=lr, momentum=MOMENTUM, weight_decay=WEIGHT_DECAY, warmup=WARMUP, ema_decay=EMA_DECAY, steps=STEPS,
                         batch=BATCH // PARTS, parts=PARTS, mean=list(MEAN), std=list(STD))


# ---- pictures -----------------------------------------------------------------------------------------------------------

def picture(label, index, width, height):
    """Waves and a ramp: every class another direction and frequency, smooth enough to be small as PNG."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    angle, frequency = 2 * math.pi * label / CLASSES, 0.15 + 0.02 * label
    wave = np.sin(frequency * (x * math.cos(angle) + y * math.sin(angle)) + index)
    channels = [128 + 100 * wave, 255 * x / width * (1 - 0.05 * label) + 10 * index, 255 - 255 * y / height + 6 * label]
    return Image.fromarray(np.stack(channels, axis=2).round().clip(0, 255).astype(np.uint8))


def write_pictures(root, width, height):
    """root/{train,val}/c00…/{0,1}.png."""
    for label in range(CLASSES):
        for split, count in (("train", PER_CLASS), ("val", 1)):
            folder = root / split / f"c{label:02d}"
            folder.mkdir(parents=True, exist_ok=True)
            for index in range(count):
                picture(label, index, width, height).save(folder / f"{index}.png", optimize=True)


def read_pictures(root, size):
    """Everything under root/train in order of class and name, as double [N,3,size,size], and the classes."""
    crop = transforms.Compose([transforms.Resize(size, transforms.InterpolationMode.BICUBIC), transforms.CenterCrop(size)])
    inputs, labels = [], []
    for label, folder in enumerate(sorted((root / "train").iterdir())):
        for path in sorted(folder.iterdir()):
            pixels = torch.from_numpy(np.array(crop(Image.open(path).convert("RGB")))).permute(2, 0, 1).double() / 255
            inputs.append((pixels - torch.tensor(MEAN, dtype=torch.float64)[:, None, None]) / torch.tensor(STD, dtype=torch.float64)[:, None, None])
            labels.append(label)
    return torch.stack(inputs), torch.tensor(labels)


# ---- weights ------------------------------------------------------------------------------------------------------------

def uniform(tensor, count):
    """`count` doubles in [-0.5, 0.5) for the tensor'th tensor of a network; tests/train/trainer_test.cpp computes the same."""
    x = (np.arange(count, dtype=np.uint64) * 2654435761 + np.uint64(tensor) * 97531) % (1 << 32)
    x ^= x >> np.uint64(16)
    x = x * np.uint64(2246822519) % (1 << 32)
    x ^= x >> np.uint64(13)
    x = x * np.uint64(3266489917) % (1 << 32)
    x ^= x >> np.uint64(16)
    return torch.from_numpy(x.astype(np.float64) / (1 << 32) - 0.5)


def fill(model):
    """Weights by formula, so that no file of them is needed: Kaiming-sized convolutions, norms near 1, statistics that are not 0 and 1."""
    for place, (name, tensor) in enumerate(model.state_dict().items()):
        if not tensor.is_floating_point():
            continue
        u = uniform(place, tensor.numel()).reshape(tensor.shape)
        if tensor.dim() > 1:
            value = u * math.sqrt(24.0 / (tensor.numel() // tensor.shape[0]))
        elif name.endswith("running_var") or name.endswith("weight"):
            value = 1 + u * 0.5
            if name.endswith("bn3.weight"):
                value *= 0.2  # else rounding grows a hundredfold each step, and PyTorch does not equal itself either
        else:
            value = u * 0.25
        tensor.copy_(value)


# ---- training -----------------------------------------------------------------------------------------------------------

def rate(step, lr=LR):
    if step < WARMUP:
        return lr * (step + 1) / WARMUP
    return 0.5 * lr * (1 + math.cos(math.pi * step / STEPS))


class Steps:
    """Ten steps of `model` (double) on the pictures; afterwards `losses`, the model's and `average`'s state dicts are the result."""

    def __init__(self, model, inputs, labels, lr=LR):
        from timm.utils import ModelEmaV3
        decayed = {name for name, parameter in model.named_parameters() if parameter.dim() > 1}
        optimizer = torch.optim.SGD([dict(params=[p for n, p in model.named_parameters() if n in decayed], weight_decay=WEIGHT_DECAY),
                                     dict(params=[p for n, p in model.named_parameters() if n not in decayed], weight_decay=0.0)],
                                    lr=lr, momentum=MOMENTUM, nesterov=True)
        ema, self.losses = ModelEmaV3(model, decay=EMA_DECAY), []
        model.train()
        batches = len(labels) // BATCH
        for step in range(STEPS):
            first = step % batches * BATCH
            losses = []
            for part in range(PARTS):
                rows = slice(first + part * BATCH // PARTS, first + (part + 1) * BATCH // PARTS)
                loss = functional.cross_entropy(model(inputs[rows]), labels[rows])
                (loss / PARTS).backward()
                losses.append(loss.item())
            for group in optimizer.param_groups:
                group["lr"] = rate(step, lr)
            optimizer.step()
            optimizer.zero_grad()
            ema.update(model, step=step + 1)
            self.losses.append(sum(losses) / PARTS)
        self.model, self.average = model.state_dict(), ema.module.state_dict()


# ---- the small network --------------------------------------------------------------------------------------------------

class Block(nn.Module):
    def __init__(self, inside, outside, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inside, outside, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outside)
        self.conv2 = nn.Conv2d(outside, outside, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outside)
        self.grow, self.stride = outside - inside, stride

    def forward(self, x):
        y = self.bn2(self.conv2(functional.relu(self.bn1(self.conv1(x)))))
        if self.grow:  # option A: every second pixel, channels of zeros on both sides
            x = functional.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, self.grow // 2, self.grow // 2))
        return functional.relu(y + x)


class CifarResNet8(nn.Module):
    def __init__(self, classes):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        self.layer1 = nn.Sequential(Block(16, 16, 1))
        self.layer2 = nn.Sequential(Block(16, 32, 2))
        self.layer3 = nn.Sequential(Block(32, 64, 2))
        self.fc = nn.Linear(64, classes)

    def forward(self, x):
        x = self.layer3(self.layer2(self.layer1(functional.relu(self.bn1(self.conv1(x))))))
        return self.fc(x.mean((2, 3)))


def main():
    shutil.rmtree(OUT / "pictures", ignore_errors=True)
    write_pictures(OUT / "pictures", width=40, height=34)


if __name__ == "__main__":
    main()
