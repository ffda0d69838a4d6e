"""Writes tests/golden/nn/models.safetensors and keys.txt: what timm (and torch, for the CIFAR networks) computes with formula weights.

Networks that timm has no name for are its classes, built with arguments. A case is "model option=value … NxHxW mode dtype"; tests/nn/golden_test.cpp
reads the cases from the file's names. Modes: eval (logits, stage outputs), train (also loss, gradients of input and parameters, running
statistics). Large tensors are stored as probes. Every network has a case: those without one of their own are judged on one small picture.
"""
import math
import pathlib
import re
import unittest.mock

import safetensors.torch
import timm
import torch
from timm.loss import SoftTargetCrossEntropy
from timm.models.efficientnet import _gen_mobilenet_v1
from timm.models.resnet import Bottleneck

import nn_formula as formula
from nn_cifar import CifarNet

CASES = [
    "resnet18 2x64x64 train f64", "resnet18 2x61x75 eval f64", "resnet18 output_stride=8 2x64x64 eval f64",
    "resnet18 drop_path=0.4 4x64x64 train f64", "resnet34 2x64x64 eval f64",
    "resnet50 2x64x64 train f64", "resnet50 output_stride=16 2x64x64 train f64", "resnet50 output_stride=8 1x64x64 eval f64",
    "resnet50 drop_path=0.2 4x64x64 train f64", "resnet50 1x224x224 eval f32",
    "resnet101 1x64x64 eval f64", "resnet152 1x64x64 eval f64",
    "cifar_resnet8 2x32x32 train f64", "cifar_resnet20 2x32x32 train f64", "cifar_resnet20 1x31x34 eval f64",
    "cifar_resnet20 drop_path=0.5 4x32x32 train f64", "cifar_resnet110 1x32x32 eval f64", "cifar_plain20 2x32x32 train f64",
    "resnet18d 2x64x64 train f64", "resnet18t output_stride=8 1x61x75 eval f64", "resnet34s 1x64x64 eval f64", "resnet18c 1x47x64 eval f64",
    "resnet50v1 2x64x64 train f64", "resnet50v1 output_stride=16 1x61x75 eval f64", "resnet101v1 1x64x64 eval f64",
    "resnet50c 2x64x64 eval f64", "resnet50d 2x64x64 train f64", "resnet50d output_stride=16 2x64x61 train f64",
    "resnet50d output_stride=8 1x61x75 eval f64", "resnet50s 1x64x64 eval f64", "resnet50t 2x64x64 train f64", "resnet152d 1x64x64 eval f64",
    "seresnet50 2x64x64 train f64", "seresnet50 drop_path=0.3 4x64x64 train f64", "resnext50_32x4d 2x64x64 train f64",
    "seresnext50_32x4d 2x64x64 train f64", "seresnext50_32x4d 1x64x64 eval f32", "densenet121 2x64x64 train f64",
    "densenet201 1x64x64 eval f64", "densenet201 1x61x75 eval f32", "inception_v3 2x123x123 train f64", "inception_v3 1x107x139 eval f64",
    "inception_v3 1x299x299 eval f32", "mobilenetv1_100 2x64x64 train f64", "mobilenetv1_100 output_stride=8 1x64x64 eval f64",
    "mobilenetv1_025 2x64x64 train f64", "mobilenetv1_075 output_stride=16 1x61x75 eval f64", "mobilenetv1_100 1x224x224 eval f32",
    'mobilenetv1_050 activation="relu" 2x64x64 train f64',
    "cifar_resnet8b 2x32x32 train f64", "cifar_resnet8c 2x32x32 train f64", "cifar_resnet8d drop_path=0.5 4x32x32 train f64",
    "cifar_resnet20d 1x31x34 train f64", "cifar_resnet20b 1x31x34 eval f64",
    "senet154 output_stride=16 1x32x32 eval f32", "senet154 1x64x64 eval f32", "regnety_040 2x64x64 train f64", "regnety_040 drop_path=0.3 4x32x32 train f64",
    "regnety_040 output_stride=8 1x61x75 eval f64", "regnety_040 1x224x224 eval f32", "regnety_080 2x32x32 train f64",
    "efficientnet_b0 2x64x64 train f64", "efficientnet_b0 drop_path=0.3 4x64x64 train f64",
    "efficientnet_b0 output_stride=8 1x61x75 eval f64", "efficientnet_b1 1x64x64 eval f64", "efficientnet_b2 2x64x64 train f64",
    "efficientnet_b3 1x61x75 eval f64", "efficientnet_b4 1x64x64 eval f64", "efficientnet_b0 1x224x224 eval f32",
    "deit_tiny_patch16_224 2x224x224 train f64", "deit_tiny_patch16_224 drop_path=0.4 img_size=64 4x64x64 train f64",
    "deit_tiny_patch16_224 img_size=64 2x96x48 train f64", "deit_tiny_patch16_224 1x160x160 eval f32",
    "deit_tiny_patch16_224 img_size=160 1x224x224 eval f32", "deit_small_patch16_224 img_size=64 1x64x64 eval f64",
    'resnet50 blur="all" 2x64x64 train f64', 'resnet18 blur="convs" 1x61x75 eval f64', 'resnet50d blur="convs" output_stride=16 1x64x64 eval f64',
    'resnet50v1 blur="convs" 1x61x75 eval f64',
    "vit_tiny_patch16_224 img_size=32 2x32x32 train f64", "vit_small_patch16_224 1x32x48 eval f64",
]  # fmt: skip
CLASSES = 10
SEED, STEP, FIRST_PLACE = 77, 5, 12
DROP_OP = 0x64726F70
KEYS = ["resnet18", "resnet34", "resnet50", "resnet101", "resnet152", "cifar_resnet20", "cifar_plain20"]
ENTRIES = [f"resnet{depth}{edit}" for depth in (18, 34, 50, 101, 152) for edit in ("v1", "c", "d", "s", "t") if depth > 34 or edit != "v1"]
ENTRIES += ["seresnet50", "resnext50_32x4d", "seresnext50_32x4d", "densenet121", "densenet201", "inception_v3"]
ENTRIES += [f"mobilenetv1_{percent:03}" for percent in (100, 75, 50, 25)]
ENTRIES += ["senet154"] + [f"regnety_{giga}" for giga in ("040", "080", "160", "320")] + [f"efficientnet_b{i}" for i in range(5)]
ENTRIES += [f"{kind}_{size}_patch16_224" for kind in ("vit", "deit") for size in ("tiny", "small", "base")]
CIFAR_FORMS = [f"cifar_resnet{depth}" for depth in (8, 14, 32, 44, 56, 110)] + [f"cifar_plain{depth}" for depth in (8, 14, 32, 44, 56)]
CIFAR_FORMS += [f"cifar_resnet{depth}{form}" for depth in (8, 14, 20, 56) for form in "bcd"]
CASES += [f"{name} 1x32x32 eval f32" for name in KEYS + ENTRIES + CIFAR_FORMS if name not in {case.split()[0] for case in CASES}]
SIZES = {"inception_v3": 299, "efficientnet_b1": 240, "efficientnet_b2": 256, "efficientnet_b3": 288, "efficientnet_b4": 320}
COSTS = [("resnet50d", 193, 225), ("densenet201", 97, 61), ("inception_v3", 139, 107), ("mobilenetv1_050", 97, 61), ("deit_tiny_patch16_224", 160, 96), ("regnety_040", 97, 61), ("efficientnet_b2", 97, 61), ("senet154", 61, 75), ("resnet50", 224, 160), ("resnet18", 33, 47), ("cifar_resnet8", 32, 32), ("cifar_resnet110", 32, 32), ("cifar_resnet56", 29, 31), ("cifar_resnet8b", 32, 32), ("cifar_resnet8c", 32, 32), ("cifar_resnet8d", 32, 32), ("cifar_resnet20d", 29, 31)]


class Factors(torch.nn.Module):
    """Stochastic depth with satchel's addressed keeps in the place of timm's DropPath."""

    def __init__(self, block, rate):
        super().__init__()
        self.block, self.rate = block, rate

    def forward(self, x):
        kept = [formula.Rng(SEED, STEP, FIRST_PLACE + i, 0, DROP_OP + self.block).uniform() >= self.rate for i in range(len(x))]
        return x * torch.tensor(kept).to(x.dtype).div(1 - self.rate).reshape(-1, *[1] * (x.dim() - 1))


def drop_rates(network, rate, count):
    """What each of timm's DropPaths is told, without the rounding of its linspace in float."""
    if isinstance(network, timm.models.EfficientNet):
        return [rate * i / count for i in range(count)]
    branches = 2 if isinstance(network, timm.models.VisionTransformer) else 1
    return [rate * i / (count // branches - 1) for i in range(count // branches) for _ in range(branches)]


def address_drops(network, rate):
    """satchel's draws in the place of timm's, one row of them for each branch that may be dropped."""
    slots = [(module, name) for module in network.modules() for name in ("drop_path", "drop_path1", "drop_path2") if hasattr(module, name)]
    for i, ((module, name), drop) in enumerate(zip(slots, drop_rates(network, rate, len(slots)))):
        if not isinstance(network, CifarNet):
            assert math.isclose(drop, getattr(getattr(module, name), "drop_prob", 0), abs_tol=1e-7), (i, drop)
        setattr(module, name, Factors(i, drop) if drop else torch.nn.Identity())


def cifar(name, classes):
    kind, depth, form = re.fullmatch(r"cifar_(resnet|plain)(\d+)([bcd]?)", name).groups()
    return CifarNet(int(depth), kind == "resnet", classes, form)


def stride_first(network):
    """The stride of each bottleneck on its first 1x1: ResNet v1, which timm has no name for."""
    for block in network.modules():
        if isinstance(block, Bottleneck):
            block.conv1.stride, block.conv2.stride = block.conv2.stride, (1, 1)
    return network


def blurred(x, stride=1):
    """A depthwise [1 2 1] x [1 2 1] / 16 over zeros: FFCV's BlurPoolConv2d (libffcv/ffcv-imagenet) and Composer's blurpool."""
    window = torch.outer(*[torch.tensor([1, 2, 1], dtype=x.dtype)] * 2) / 16
    return torch.nn.functional.conv2d(x, window.expand(x.shape[1], 1, 3, 3), stride=stride, padding=1, groups=x.shape[1])


class BlurredPool(torch.nn.Module):
    def forward(self, x):
        return blurred(torch.nn.functional.max_pool2d(x, 3, 1, 1), 2)


def blur(network, where):
    """What stands in front of strides, without another name in the state dict."""
    for conv in network.modules():
        if isinstance(conv, torch.nn.Conv2d) and max(conv.stride) > 1 and conv.in_channels >= 16:
            conv.forward = lambda x, plain=conv.forward: plain(blurred(x))
    if where == "all":
        network.maxpool = BlurredPool()
    return network


def build(name, **arguments):
    """timm's entry of that name, else its class with the arguments that the name stands for."""
    if name.startswith("cifar"):
        return cifar(name, arguments.get("num_classes", 1000))
    if name.startswith(("vit", "deit")):
        return timm.create_model(name, dynamic_img_size=True, **arguments)
    if timm.is_model(name):
        return timm.create_model(name, **arguments)
    if name.startswith("mobilenetv1_"):
        return _gen_mobilenet_v1("mobilenetv1_100", int(name.removeprefix("mobilenetv1_")) / 100, **arguments)
    plain, edit = re.fullmatch(r"(resnet\d+)(v1|[cdst])", name).groups()
    if edit == "v1":
        return stride_first(timm.create_model(plain, **arguments))
    return timm.create_model(plain, stem_width=64 if edit == "s" else 32, stem_type="deep_tiered" if edit == "t" else "deep",
                             avg_down=edit in "dt", **arguments)


ARGUMENTS = {"output_stride": ("output_stride", int), "drop_path": ("drop_path_rate", float),
             "activation": ("act_layer", lambda text: text.strip('"')), "img_size": ("img_size", int)}  # fmt: skip


def stage_outputs(network, x):
    return network.features(x) if isinstance(network, CifarNet) else network.forward_intermediates(x, intermediates_only=True)


def run(case):
    name, *middle, shape, mode, dtype = case.split()
    options = dict(word.split("=") for word in middle)
    torch.manual_seed(0)
    where = options.pop("blur", "none").strip('"')
    arguments = dict((ARGUMENTS[k][0], ARGUMENTS[k][1](v)) for k, v in options.items())
    network = build(name, num_classes=CLASSES, **arguments).to({"f64": torch.float64, "f32": torch.float32}[dtype]).eval()
    if where != "none":
        blur(network, where)
    formula.fill(network)
    address_drops(network, float(options.get("drop_path", 0)))
    n, h, w = map(int, shape.split("x"))
    x = formula.tensor(formula.INPUT_TAG, n, 3, h, w).to(next(network.parameters()).dtype).requires_grad_()
    out = {}
    if mode == "eval":
        with torch.no_grad():
            out["logits"] = network(x)
            out["features"] = torch.stack([formula.probe(i, f) for i, f in enumerate(stage_outputs(network, x))])
        return out
    network.train()
    targets = torch.softmax(3 * formula.tensor(formula.TARGET_TAG, n, CLASSES), 1)
    logits = network(x)
    loss = SoftTargetCrossEntropy()(logits, targets)
    loss.backward()
    out["logits"], out["loss"] = logits.detach(), loss.detach()
    out["input_grad"] = formula.probe(0, x.grad)
    out["grads"] = torch.stack([formula.probe(i, p.grad) for i, p in enumerate(network.parameters())])
    out["grad_norms"] = torch.stack([p.grad.norm() for p in network.parameters()])
    if probes := [formula.probe(i, b) for i, b in enumerate(network.buffers())]:
        out["buffers"] = torch.stack(probes)
    return out


def macs(network, height, width):
    """Multiply-adds of convolutions and linear layers for one picture, counted while it runs."""
    total = 0

    def count(module, inputs, output):
        nonlocal total
        total += output[0].numel() // module.weight.shape[0] * module.weight.numel()

    for module in network.modules():
        if isinstance(module, (torch.nn.Conv2d, torch.nn.Linear)):
            module.register_forward_hook(count)
    with torch.no_grad():
        network.eval()(torch.zeros(1, 3, height, width))
    return total


def listing(network):
    """Names and shapes of the state dict, a line each."""
    return [f"{key} {'x'.join(map(str, value.shape)) or 'scalar'}\n" for key, value in network.state_dict().items()]


def fnv1a(text):
    value = 14695981039346656037
    for byte in text.encode():
        value = (value ^ byte) * 1099511628211 % 2**64
    return value


def parameters(network):
    return sum(p.numel() for p in network.parameters())


def main():
    folder = pathlib.Path(__file__).resolve().parents[2] / "tests/golden/nn"
    results = {}
    for case in CASES:
        # timm resamples position embeddings in float, of doubles too; here doubles are the truth.
        with unittest.mock.patch.object(torch.Tensor, "float", (lambda t: t) if case.endswith("f64") else torch.Tensor.float):
            results |= {f"{case}/{key}": value.contiguous() for key, value in run(case).items()}
    versions = f"timm {timm.__version__}, torch {torch.__version__}"
    safetensors.torch.save_file(results, folder / "models.safetensors", metadata={"made_by": versions})
    with open(folder / "keys.txt", "w") as out:
        out.write(f"# {versions}: state dicts of a thousand classes, then multiply-adds by input; written by tools/golden/nn_models.py\n")
        for name in KEYS:
            network = build(name)
            out.write(f"model {name} {parameters(network)}\n")
            out.writelines(listing(network))
        for name in ENTRIES + CIFAR_FORMS:
            network = build(name)
            lines = listing(network)
            out.write(f"hash {name} {parameters(network)} {len(lines)} {fnv1a(''.join(lines)):016x}\n")
        sides = [(name, SIZES.get(name, 224)) for name in KEYS[:5] + ENTRIES]
        for name, height, width in [(name, side, side) for name, side in sides] + COSTS:
            out.write(f"macs {name} {height} {width} {macs(build(name), height, width)}\n")
    print({p.name: p.stat().st_size for p in folder.iterdir()})


main()
