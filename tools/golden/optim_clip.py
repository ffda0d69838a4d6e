"""Gradients clipped by timm's dispatch_clip_grad in double, in its three modes: tests/golden/optim/clip.json.

The last two tensors are a classifier, which timm's training leaves out of "agc".
"""
import json
import pathlib

import timm
import torch
from timm.utils import dispatch_clip_grad

OUT = pathlib.Path(__file__).resolve().parents[2] / "tests/golden/optim/clip.json"
SHAPES = {"conv": (3, 2, 2, 2), "scale": (3,), "zero": (2, 3), "fc": (4, 3), "fc.bias": (4,)}
CASES = (("norm", 0.5), ("norm", 1000.0), ("value", 0.3), ("agc", 0.01), ("agc", 0.5), ("agc", 1e6))


def main():
    generator = torch.Generator().manual_seed(11)
    make = lambda shape: torch.randn(shape, generator=generator, dtype=torch.float64)
    weights = {name: make(shape) if name != "zero" else torch.zeros(shape, dtype=torch.float64) for name, shape in SHAPES.items()}
    gradients = {name: make(shape) for name, shape in SHAPES.items()}
    gradients["scale"] *= 1e-3
    cases = []
    for mode, bound in CASES:
        parameters = [torch.nn.Parameter(w.clone()) for w in weights.values()]
        for parameter, gradient in zip(parameters, gradients.values()):
            parameter.grad = gradient.clone()
        dispatch_clip_grad(parameters[:-2] if mode == "agc" else parameters, value=bound, mode=mode)
        cases.append(dict(mode=mode, bound=bound, after={name: p.grad.flatten().tolist() for name, p in zip(SHAPES, parameters)}))
    flat = lambda tensors: {name: tensor.flatten().tolist() for name, tensor in tensors.items()}
    OUT.write_text(json.dumps(dict(versions=dict(torch=torch.__version__, timm=timm.__version__), shapes=SHAPES, weights=flat(weights),
                                   gradients=flat(gradients), cases=cases)) + "\n")


main()
