"""Ten updates of torch.optim.SGD in double, at the rates of timm's cosine schedule with a warm-up: tests/golden/optim/sgd.json.

The parameters are a 3×3 convolution in channels-last memory, a linear layer with a bias, and the scale and shift of a norm.
"""
import json
import pathlib

import timm
import torch
from timm.scheduler.cosine_lr import CosineLRScheduler

OUT = pathlib.Path(__file__).resolve().parents[2] / "tests/golden/optim/sgd.json"
STEPS, KEPT = 10, (1, 2, 5, 10)
SHAPES = {"conv.weight": (2, 3, 3, 3), "bn.weight": (2,), "bn.bias": (2,), "fc.weight": (3, 2), "fc.bias": (3,)}
SCHEDULE = 'warmup = "4 steps"\nwarmup_from = "zero"\nwarmup_lr = 0.01\nmin_lr = 0.001'

# options of ours → arguments of torch's, and the decay of (weights, norm scale, norm shift, other biases)
CASES = {
    "momentum = 0.0": (dict(momentum=0.0), (0, 0, 0, 0)),
    "momentum = 0.9": (dict(momentum=0.9), (0, 0, 0, 0)),
    "momentum = 0.9\nnesterov = true": (dict(momentum=0.9, nesterov=True), (0, 0, 0, 0)),
    "momentum = 0.0\nweight_decay = 0.05": (dict(momentum=0.0), (0.05, 0, 0, 0)),
    "momentum = 0.875\nnesterov = true\nweight_decay = 0.05": (dict(momentum=0.875, nesterov=True), (0.05, 0, 0, 0)),
    "weight_decay = 0.05\ndecay_norm_and_bias = true": (dict(momentum=0.9), (0.05, 0.05, 0.05, 0.05)),
    "weight_decay = 0.05\nnorm_weight_decay = 0.02": (dict(momentum=0.9), (0.05, 0.02, 0.02, 0)),
    "weight_decay = 0.05\nnorm_weight_decay = 0.02\nbias_weight_decay = 0.1": (dict(momentum=0.9), (0.05, 0.02, 0.1, 0.1)),
}


def flat(tensors):
    """Row-major numbers by name."""
    return {name: tensor.detach().contiguous().flatten().tolist() for name, tensor in tensors.items()}


def main():
    generator = torch.Generator().manual_seed(7)
    start = {name: torch.randn(shape, generator=generator, dtype=torch.float64) for name, shape in SHAPES.items()}
    gradients = [{name: torch.randn(shape, generator=generator, dtype=torch.float64) for name, shape in SHAPES.items()} for _ in range(STEPS)]
    cases, rates = [], []
    for options, (arguments, (weights, scale, shift, bias)) in CASES.items():
        parameters = {name: torch.nn.Parameter(tensor.clone()) for name, tensor in start.items()}
        decay = {"conv.weight": weights, "fc.weight": weights, "bn.weight": scale, "bn.bias": shift, "fc.bias": bias}
        optimizer = torch.optim.SGD([dict(params=[parameters[name]], weight_decay=decay[name]) for name in SHAPES], lr=0.4, foreach=False, **arguments)
        schedule = CosineLRScheduler(optimizer, t_initial=STEPS, lr_min=0.001, warmup_t=4, warmup_lr_init=0.01, t_in_epochs=False)
        after, rates = {}, []
        for step in range(STEPS):
            schedule.step_update(step)
            rates.append(optimizer.param_groups[0]["lr"])
            for name, parameter in parameters.items():
                parameter.grad = gradients[step][name].clone()
            optimizer.step()
            if step + 1 in KEPT:
                after[step + 1] = flat(parameters)
        cases.append(dict(options="lr = 0.4\n" + options, after=after))
    OUT.parent.mkdir(parents=True, exist_ok=True)
    written = dict(versions=dict(torch=torch.__version__, timm=timm.__version__), shapes=SHAPES, start=flat(start), schedule=SCHEDULE, rates=rates,
                   gradients=[flat(each) for each in gradients], cases=cases)
    OUT.write_text(json.dumps(written) + "\n")


main()
