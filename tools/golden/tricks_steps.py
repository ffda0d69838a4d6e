"""Five training steps of PyTorch in double with each trick of "Bag of Tricks" (1812.01187) switched on, alone and all together.

Written by itself it makes tests/golden/train/steps/tricks.json, which tests/train/trainer_test.cpp follows; tests/peers/tricks_steps.py drives
the program through the same cases. Initial weights come by formula, random choices (mixup's shares, crops, flips) are drawn here and replayed
there. Networks are train_steps.CifarResNet8 and timm's; losses, clipping, optimizer and average are PyTorch's and
timm's own.
"""
import dataclasses
import json
import math
import pathlib

import numpy as np
import timm
import torch
from PIL import Image
from timm.utils import ModelEmaV3
from torch import nn
from torch.nn import functional
from torchvision import transforms

import train_steps
from train_steps import CLASSES, MEAN, STD

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "tests/golden/train/steps"
STEPS, TEACHER_PLACES = 5, 500
PICTURES = CLASSES * train_steps.PER_CLASS


@dataclasses.dataclass
class Case:
    """One recipe; the defaults are every trick off."""
    model: str = "cifar_resnet8"
    size: int = 24
    batch: int = 8
    accumulate: int = 1
    drop_last: bool = True
    lr: float = 0.05
    lr_base: float = 0.0
    momentum: float = 0.9
    nesterov: bool = False
    weight_decay: float = 0.01
    decay_all: bool = True
    last_gamma: float = 0.2  # scale of the last norm of each block, on top of its formula
    schedule: str = "constant"
    schedule_options: dict = dataclasses.field(default_factory=dict)
    smoothing: float = 0.0
    smoothing_over: str = "k"
    distillation: dict = dataclasses.field(default_factory=dict)
    mixup: str = ""  # "round" | "float"
    off_last: int = 0
    crops: bool = False
    clip: float = 0.0
    clip_mode: str = "norm"
    sam_rho: float = 0.0
    sam_interval: int = 1
    ema: float = 0.0
    mean: tuple = MEAN
    std: tuple = STD

    def batches(self):
        return PICTURES // self.batch if self.drop_last else math.ceil(PICTURES / self.batch)

    def steps_per_epoch(self):
        return math.ceil(self.batches() / self.accumulate)


COSINE = dict(schedule="cosine")
KD = dict(temperature=20.0, weighting="paper")
PAPER = dict(lr=0, lr_base=1.6, nesterov=True, decay_all=False, last_gamma=0, schedule="cosine", schedule_options=dict(warmup="2 steps", warmup_prefix=True),
             smoothing=0.1, smoothing_over="k-1", distillation=KD, mixup="float", ema=0.8)
GLUON = PAPER | dict(schedule_options=dict(warmup="2 steps", warmup_prefix=True, warmup_from="zero"), smoothing_over="k",
                     distillation=dict(temperature=20.0, weighting="gluon", weight=0.5), off_last=1, accumulate=2, batch=4)
CASES = {
    "none": Case(),
    "average": Case(ema=0.8),
    "nesterov": Case(nesterov=True),
    "linear_scaling": Case(lr=0, lr_base=1.6),
    "warmup": Case(schedule_options=dict(warmup="4 steps")),
    "warmup_from_zero": Case(schedule_options=dict(warmup="4 steps", warmup_from="zero")),
    "zero_gamma": Case(last_gamma=0),
    "no_bias_decay": Case(decay_all=False),
    "step": Case(schedule="step", schedule_options=dict(milestones=["2 steps", "4 steps"])),
    "cosine": Case(**COSINE),
    "cosine_after_warmup": Case(**COSINE, schedule_options=dict(warmup="2 steps", warmup_prefix=True)),
    "cosine_under_warmup": Case(**COSINE, schedule_options=dict(warmup="2 steps")),
    "smoothing": Case(smoothing=0.1),
    "smoothing_over_others": Case(smoothing=0.1, smoothing_over="k-1"),
    "distillation": Case(distillation=KD),
    "distillation_gluon": Case(distillation=KD | dict(weighting="gluon", weight=0.3)),
    "distillation_lambda": Case(distillation=KD | dict(weighting="lambda", weight=0.7)),
    "distillation_hard": Case(distillation=KD | dict(temperature=4.0, hard="cross_entropy"), smoothing=0.1),
    "distillation_other_mean": Case(distillation=KD, mean=(0.5, 0.4, 0.3), std=(0.25, 0.3, 0.2)),
    "mixup": Case(mixup="round"),
    "mixup_in_float": Case(mixup="float"),
    "mixup_off_last": Case(mixup="round", off_last=1),
    "mixup_smoothing": Case(mixup="round", smoothing=0.1),
    "mixup_distillation": Case(mixup="float", distillation=KD),
    "crops": Case(crops=True),
    "accumulation": Case(batch=4, accumulate=2),
    "accumulation_ragged": Case(batch=7, accumulate=2, drop_last=False),
    "accumulation_rest": Case(batch=7, accumulate=2),
    "accumulation_scaling": Case(batch=4, accumulate=2, lr=0, lr_base=1.6),
    "clip": Case(clip=0.5),
    "clip_value": Case(clip=0.02, clip_mode="value"),
    "all_paper": Case(**PAPER, crops=True),
    "all_gluon": Case(**GLUON, crops=True),
    "sharpness_aware": Case(sam_rho=0.5),
    "sharpness_aware_now_and_then": Case(sam_rho=0.2, sam_interval=2, batch=4, accumulate=2, clip=0.5, ema=0.8),
    "resnet_d": Case(model="cifar_resnet8d", size=23, ema=0.8),
    "all_resnet_d": Case(**PAPER, model="cifar_resnet8d", size=23, clip=2.0, crops=True),
}


def recipe(case, teacher):
    """The case for `satchel train --recipe`."""
    table = lambda options: ", ".join(f"{key} = {json.dumps(value)}" for key, value in options.items())
    resized = f'{{ resize = {{ size = {case.size}, interpolation = "bicubic" }} }}, {{ center_crop = {{ size = {case.size} }} }}'
    cropped = f'{{ random_resized_crop = {{ size = {case.size}, interpolation = "bilinear" }} }}, {{ hflip = {{}} }}'
    sgd = dict(momentum=case.momentum, nesterov=case.nesterov, weight_decay=case.weight_decay, decay_norm_and_bias=case.decay_all)
    sgd |= dict(lr_base=case.lr_base) if case.lr_base else dict(lr=case.lr)
    loss = {key: value for key, value in case.distillation.items() if key != "hard"}
    hard = f", hard = {{ {case.distillation['hard']} = {{}} }}" if "hard" in case.distillation else ""
    lines = ['extends   = "plain"', f"model     = {{ {case.model} = {{}} }}", f"augment   = [ {cropped if case.crops else resized} ]",
             f"optimizer = {{ sgd = {{ {table(sgd)} }} }}", f"schedule  = {{ {case.schedule} = {{ {table(case.schedule_options)} }} }}"]
    if loss:
        lines.append(f'loss      = {{ distillation = {{ teacher = "{teacher}", teacher_model = "cifar_resnet8", {table(loss)}{hard} }} }}')
    if case.mixup:
        lines.append("mix       = [ { mixup = { alpha = 0.2 } } ]")
    if case.ema:
        lines.append(f"ema       = {{ exponential = {{ decay = {case.ema} }} }}")
    if case.mixup:
        lines += ["[mixing]", f"round = {json.dumps(case.mixup == 'round')}", f"off_last = {case.off_last}"]
    lines += ["[train]", f'length = "{STEPS} steps"', f"batch = {case.batch}", f"accumulate = {case.accumulate}", 'precision = "fp64"', "log_interval = 1",
              f"mean = {list(case.mean)}", f"std = {list(case.std)}", f"smoothing = {case.smoothing}", f'smoothing_over = "{case.smoothing_over}"']
    if case.clip:
        lines += [f"clip_grad = {case.clip}", f'clip_mode = "{case.clip_mode}"']
    if case.sam_rho:
        lines += [f"sam_rho = {case.sam_rho}", f"sam_interval = {case.sam_interval}"]
    lines += ["[sampler]", "shuffle = false", f"drop_last = {json.dumps(case.drop_last)}", "[evaluate]", f"augment = [ {resized} ]"]
    return "\n".join(lines) + "\n"


# ---- chance, drawn here -------------------------------------------------------------------------------------------------

def shares(case):
    """λ of every batch by epoch, in single precision as a batch plan carries it; nothing for an epoch without mixing."""
    if not case.mixup:
        return []
    chance, epochs = np.random.default_rng(12), math.ceil(STEPS / case.steps_per_epoch())
    draws = [[float(np.float32(chance.beta(0.2, 0.2))) for _ in range(case.batches())] for _ in range(epochs)]
    for drawn in draws:
        drawn[:2] = [float(np.float32(0.3)), float(np.float32(0.1))]  # Beta(0.2, 0.2) likes the ends: these are really mixed
    return [drawn if epoch < epochs - case.off_last else [] for epoch, drawn in enumerate(draws)]


def boxes(case):
    """x, y, width, height, flip of each place of each epoch."""
    if not case.crops:
        return []
    chance, epochs = np.random.default_rng(34), math.ceil(STEPS / case.steps_per_epoch())
    sizes = [[(int(chance.integers(12, 41)), int(chance.integers(12, 35))) for _ in range(PICTURES)] for _ in range(epochs)]
    return [[[int(chance.integers(0, 41 - w)), int(chance.integers(0, 35 - h)), w, h, int(chance.integers(0, 2))] for w, h in row] for row in sizes]


def trace(case, _folder=None):
    """The lines of `--replay`; none when nothing is left to chance."""
    lines, lambdas, drawn = [], shares(case), boxes(case)
    for epoch in range(max(len(lambdas), len(drawn))):
        for place in range(PICTURES):
            line = dict(picture=str(place), epoch=epoch, place=place, ops=[])
            if drawn:
                x, y, width, height, flip = drawn[epoch][place]
                line["ops"] = [{"random_resized_crop": dict(x=x, y=y, width=width, height=height, interpolation="bilinear")}, {"hflip": dict(flip=bool(flip))}]
            if lambdas and lambdas[epoch]:
                first = place // case.batch * case.batch
                last = min(first + case.batch, PICTURES) - 1
                line["mix"] = {"partner": last - place, "lambda": lambdas[epoch][place // case.batch], "x": 0, "y": 0, "width": 0, "height": 0}
            if drawn or "mix" in line:
                lines.append(json.dumps(line))
    return "".join(line + "\n" for line in lines)


# ---- batches ------------------------------------------------------------------------------------------------------------

def pixels(case, pictures, epoch):
    """[24, 3, size, size] bytes."""
    whole = transforms.Compose([transforms.Resize(case.size, transforms.InterpolationMode.BICUBIC), transforms.CenterCrop(case.size)])
    drawn, out = boxes(case), []
    for place, picture in enumerate(pictures):
        if drawn:
            x, y, width, height, flip = drawn[epoch][place]
            done = picture.crop((x, y, x + width, y + height)).resize((case.size, case.size), Image.BILINEAR)
            done = done.transpose(Image.FLIP_LEFT_RIGHT) if flip else done
        else:
            done = whole(picture)
        out.append(torch.from_numpy(np.array(done)).permute(2, 0, 1))
    return torch.stack(out)


def normalised(x, mean, std):
    column = lambda values: torch.tensor(values, dtype=torch.float64)[:, None, None]
    return (x.double() / 255 - column(mean)) / column(std)


def batch_of(case, everything, labels, epoch, batch):
    """Input as the student sees it, the same for a teacher with its own normalisation, soft targets."""
    rows = slice(batch * case.batch, (batch + 1) * case.batch)
    x, y = everything[epoch][rows], labels[rows]
    off = case.smoothing / (CLASSES if case.smoothing_over == "k" else CLASSES - 1)
    on = 1 - case.smoothing + (off if case.smoothing_over == "k" else 0)
    targets = functional.one_hot(y, CLASSES).double() * (on - off) + off
    lambdas = shares(case)
    share = lambdas[epoch][batch] if lambdas and lambdas[epoch] else 1.0
    if share == 1:
        return normalised(x, case.mean, case.std), normalised(x, MEAN, STD), targets, y
    targets = share * targets + (1 - share) * targets.flip(0)
    if case.mixup == "round":
        left, right = x.numpy().astype(np.float32) * np.float32(share), x.flip(0).numpy().astype(np.float32) * np.float32(1 - share)
        x = torch.from_numpy(np.rint(left + right).astype(np.uint8))
        return normalised(x, case.mean, case.std), normalised(x, MEAN, STD), targets, None
    blend = lambda z: share * z + (1 - share) * z.flip(0)
    return blend(normalised(x, case.mean, case.std)), blend(normalised(x, MEAN, STD)), targets, None


# ---- training -----------------------------------------------------------------------------------------------------------

class CifarResNet8D(train_steps.CifarResNet8):
    """The same network with the edits of 1812.01187 section 4 up to D: a stem of three convolutions, projections behind a pooling."""

    def __init__(self, classes):
        super().__init__(classes)
        conv = lambda inside, outside: nn.Conv2d(inside, outside, 3, 1, 1, bias=False)
        self.conv1 = nn.Sequential(conv(3, 8), nn.BatchNorm2d(8), nn.ReLU(), conv(8, 8), nn.BatchNorm2d(8), nn.ReLU(), conv(8, 16))
        for layer in (self.layer2, self.layer3):
            inside, outside = layer[0].conv1.in_channels, layer[0].conv1.out_channels
            layer[0].downsample = nn.Sequential(nn.AvgPool2d(2, 2, ceil_mode=True, count_include_pad=False), nn.Conv2d(inside, outside, 1, bias=False),
                                                nn.BatchNorm2d(outside))

    def forward(self, x):
        x = functional.relu(self.bn1(self.conv1(x)))
        for block in (self.layer1[0], self.layer2[0], self.layer3[0]):
            y = block.bn2(block.conv2(functional.relu(block.bn1(block.conv1(x)))))
            x = functional.relu(y + (block.downsample(x) if block.grow else x))
        return self.fc(x.mean((2, 3)))


def build(name):
    own = dict(cifar_resnet8=train_steps.CifarResNet8, cifar_resnet8d=CifarResNet8D)
    return own[name](CLASSES) if name in own else timm.create_model(name, num_classes=CLASSES)


def last_norm(name):
    return ".bn3.weight" if "resnet50" in name else ".bn2.weight"


def fill(model, first_place, last_suffix, last_gamma):
    """Weights by formula: uniform convolutions of Kaiming's size, norms near 1 with small last scales, statistics that are not 0 and 1."""
    with torch.no_grad():
        for place, (name, tensor) in enumerate(model.state_dict().items()):
            if not tensor.is_floating_point():
                continue
            u = train_steps.uniform(first_place + place, tensor.numel()).reshape(tensor.shape)
            if tensor.dim() > 1:
                value = u * math.sqrt(24.0 / (tensor.numel() // tensor.shape[0]))
            elif name.endswith("running_var") or name.endswith("weight"):
                value = (1 + u * 0.5) * (last_gamma if name.endswith(last_suffix) else 1)
            else:
                value = u * 0.25
            tensor.copy_(value)
    return model


def student_of(case):
    return fill(build(case.model).double(), 0, last_norm(case.model), case.last_gamma)


def teacher():
    return fill(build("cifar_resnet8").double(), TEACHER_PLACES, last_norm("cifar_resnet8"), 1.0).eval()


def rate(case, step):
    base = case.lr or case.lr_base * case.batch * case.accumulate / 256
    options = case.schedule_options
    warmup = int(options.get("warmup", "0 steps").split()[0])
    if step < warmup:
        return base * (step + (options.get("warmup_from") != "zero")) / warmup
    if case.schedule == "step":
        return base * 0.1 ** sum(step >= int(milestone.split()[0]) for milestone in options["milestones"])
    if case.schedule == "constant":
        return base
    start = warmup if options.get("warmup_prefix") else 0
    return 0.5 * base * (1 + math.cos(math.pi * (step - start) / (STEPS - start)))


def loss_of(case, logits, targets, labels, answer):
    if labels is not None and case.smoothing_over == "k":
        hard = functional.cross_entropy(logits, labels, label_smoothing=case.smoothing)
    else:
        hard = functional.cross_entropy(logits, targets)
    if not case.distillation:
        return hard
    t = case.distillation["temperature"]
    soft = functional.cross_entropy(logits / t, torch.softmax(answer / t, 1)) * t * t
    weight = case.distillation.get("weight")
    return {"paper": lambda: hard + soft, "gluon": lambda: weight * hard + (1 - weight) * soft, "lambda": lambda: hard + weight * soft}[
        case.distillation["weighting"]]()


def climb(model, rho):
    """The way up of 2010.01412, eq. 2; returns the way back. Running statistics stay as they are meanwhile, as davda54/sam advises."""
    norms = [module for module in model.modules() if isinstance(module, nn.BatchNorm2d)]
    weights, momenta = [p.detach().clone() for p in model.parameters()], [norm.momentum for norm in norms]
    length = torch.sqrt(sum((p.grad ** 2).sum() for p in model.parameters()))
    with torch.no_grad():
        for p in model.parameters():
            p += rho * p.grad / (length + 1e-12)
            p.grad = None
    for norm in norms:
        norm.momentum = 0.0

    def back():
        with torch.no_grad():
            for p, weight in zip(model.parameters(), weights):
                p.copy_(weight)
        for norm, momentum in zip(norms, momenta):
            norm.momentum = momentum
    return back


class Run:
    """The steps of a case; afterwards `losses`, `rates`, `model` and `average` (state dicts; the last empty without one)."""

    def __init__(self, case, model, pictures_folder):
        pictures = [Image.open(path).convert("RGB") for path in sorted((pictures_folder / "train").rglob("*.png"))]
        labels = torch.arange(CLASSES).repeat_interleave(train_steps.PER_CLASS)
        per_epoch = case.steps_per_epoch()
        everything = [pixels(case, pictures, epoch) for epoch in range(math.ceil(STEPS / per_epoch))]
        groups = [[p for p in model.parameters() if (p.dim() > 1) == big] for big in (True, False)]
        optimizer = torch.optim.SGD([dict(params=groups[0], weight_decay=case.weight_decay),
                                     dict(params=groups[1], weight_decay=case.weight_decay if case.decay_all else 0.0)],
                                    lr=1.0, momentum=case.momentum, nesterov=case.nesterov)
        expert, ema = teacher() if case.distillation else None, ModelEmaV3(model, decay=case.ema) if case.ema else None
        self.losses, self.rates = [], [rate(case, step) for step in range(STEPS)]
        model.train()
        for step, lr in enumerate(self.rates):
            epoch, first = divmod(step, per_epoch)
            batches = range(first * case.accumulate, min((first + 1) * case.accumulate, case.batches()))

            def differentiate():
                total = count = 0
                for batch in batches:
                    x, for_expert, targets, y = batch_of(case, everything, labels, epoch, batch)
                    with torch.no_grad():
                        answer = expert(for_expert) if expert else None
                    loss = loss_of(case, model(x), targets, y, answer)
                    (loss / len(batches)).backward()
                    total, count = total + loss.item() * len(x), count + len(x)
                return total / count

            self.losses.append(differentiate())
            if case.sam_rho and (step + 1) % case.sam_interval == 0:
                back = climb(model, case.sam_rho)
                differentiate()
                back()
            if case.clip and case.clip_mode == "norm":
                torch.nn.utils.clip_grad_norm_(model.parameters(), case.clip)
            elif case.clip:
                torch.nn.utils.clip_grad_value_(model.parameters(), case.clip)
            for group in optimizer.param_groups:
                group["lr"] = lr
            optimizer.step()
            optimizer.zero_grad()
            if ema:
                ema.update(model, step=step + 1)
        self.model, self.average = model.state_dict(), ema.module.state_dict() if ema else {}


def fingerprints(state):
    """Of each tensor its norm and its products with two vectors of formula: a change of norm δ moves each product by about δ."""
    found = {}
    for name, tensor in state.items():
        if tensor.is_floating_point():
            flat = tensor.flatten()
            products = [float(flat @ (train_steps.uniform(1000 + k, flat.numel()) * math.sqrt(12.0))) for k in range(2)]
            found[name] = [float(f"{value:.13g}") for value in [flat.norm().item()] + products]
    return found


def main():
    torch.set_num_threads(1)
    written = dict(versions=dict(torch=torch.__version__, timm=timm.__version__), steps=STEPS, pictures=PICTURES, teacher_places=TEACHER_PLACES,
                   networks={}, cases={})
    for name in sorted({case.model for case in CASES.values()}):
        shapes = {key: list(tensor.shape) for key, tensor in build(name).state_dict().items()}
        written["networks"][name] = dict(last_norm=last_norm(name), shapes=shapes)
    for name, case in CASES.items():
        run = Run(case, student_of(case), FOLDER / "pictures")
        written["cases"][name] = dict(recipe=recipe(case, "@teacher@"), network=case.model, batch=case.batch, last_gamma=case.last_gamma, shares=shares(case),
                                      boxes=boxes(case), losses=run.losses, rates=run.rates, model=fingerprints(run.model),
                                      average=fingerprints(run.average))
        print(f"{name:24} {' '.join(f'{loss:.4f}' for loss in run.losses)}")
    lines = ",\n".join(f" {json.dumps(name)}: {json.dumps(case)}" for name, case in written.pop("cases").items())
    (FOLDER / "tricks.json").write_text(json.dumps(written)[:-1] + ', "cases": {\n' + lines + "\n}}\n")


if __name__ == "__main__":
    main()
