"""Writes tests/golden/nn/models.safetensors and keys.txt: what timm (and torch, for the CIFAR networks) computes with formula weights.

A case is "model option=value … NxHxW mode dtype"; tests/nn/golden_test.cpp reads the cases from the file's names. Modes: eval (logits,
stage outputs), train (also loss, gradients of input and parameters, running statistics). Large tensors are stored as probes.
"""
import pathlib

import safetensors.torch
import timm
import torch
from timm.loss import SoftTargetCrossEntropy

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
]  # fmt: skip
CLASSES = 10
SEED, STEP, FIRST_PLACE = 77, 5, 12
DROP_OP = 0x64726F70
KEYS = ["resnet18", "resnet34", "resnet50", "resnet101", "resnet152", "cifar_resnet20", "cifar_plain20"]
COSTS = [("resnet50", 224, 160), ("resnet18", 33, 47), ("cifar_resnet8", 32, 32), ("cifar_resnet110", 32, 32), ("cifar_resnet56", 29, 31)]


class Factors(torch.nn.Module):
    """Stochastic depth with satchel's addressed keeps in the place of timm's DropPath."""

    def __init__(self, block, rate):
        super().__init__()
        self.block, self.rate = block, rate

    def forward(self, x):
        kept = [formula.Rng(SEED, STEP, FIRST_PLACE + i, 0, DROP_OP + self.block).uniform() >= self.rate for i in range(len(x))]
        return x * torch.tensor(kept).to(x.dtype).div(1 - self.rate).reshape(-1, 1, 1, 1)


def cifar(name, classes):
    return CifarNet(int(name.removeprefix("cifar_resnet").removeprefix("cifar_plain")), "plain" not in name, classes)


def build(name, options):
    if name.startswith("cifar"):
        return cifar(name, CLASSES)
    stride = int(options.get("output_stride", 32))
    return timm.create_model(name, num_classes=CLASSES, output_stride=stride, drop_path_rate=float(options.get("drop_path", 0)))


def stage_outputs(network, x):
    return network.features(x) if isinstance(network, CifarNet) else network.forward_intermediates(x, intermediates_only=True)


def run(case):
    name, *middle, shape, mode, dtype = case.split()
    options = dict(word.split("=") for word in middle)
    torch.manual_seed(0)
    network = build(name, options).to({"f64": torch.float64, "f32": torch.float32}[dtype]).eval()
    formula.fill(network)
    rate = float(options.get("drop_path", 0))
    blocks = [m for m in network.modules() if hasattr(m, "drop_path")]
    for i, block in enumerate(blocks):
        block.drop_path = Factors(i, rate * i / (len(blocks) - 1)) if rate and i else None if not name.startswith("cifar") else torch.nn.Identity()

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
    out["buffers"] = torch.stack([formula.probe(i, b) for i, b in enumerate(network.buffers())])
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


def named(name):
    return cifar(name, 1000) if name.startswith("cifar") else timm.create_model(name)


def main():
    folder = pathlib.Path(__file__).resolve().parents[2] / "tests/golden/nn"
    results = {f"{case}/{key}": value.contiguous() for case in CASES for key, value in run(case).items()}
    versions = f"timm {timm.__version__}, torch {torch.__version__}"
    safetensors.torch.save_file(results, folder / "models.safetensors", metadata={"made_by": versions})
    with open(folder / "keys.txt", "w") as out:
        out.write(f"# {versions}: state dicts of a thousand classes, then multiply-adds by input; written by tools/golden/nn_models.py\n")
        for name in KEYS:
            network = named(name)
            out.write(f"model {name} {sum(p.numel() for p in network.parameters())}\n")
            out.writelines(f"{key} {'x'.join(map(str, value.shape)) or 'scalar'}\n" for key, value in network.state_dict().items())
        for name, height, width in [(name, 224, 224) for name in KEYS[:5]] + COSTS:
            out.write(f"macs {name} {height} {width} {macs(named(name), height, width)}\n")
    print({p.name: p.stat().st_size for p in folder.iterdir()})


main()
