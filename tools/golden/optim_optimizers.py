"""Ten updates in double of torch's SGD and AdamW and of timm's SGDW, LAMB, RMSpropTF and LARS, at the rates of timm's cosine schedule with a
warm-up: tests/golden/optim/optimizers.json.

The parameters are a 3×3 convolution in channels-last memory, a linear layer with a bias, and the scale and shift of a norm.
"""
import json
import pathlib

import timm
import timm.optim
import torch
from timm.scheduler.cosine_lr import CosineLRScheduler

OUT = pathlib.Path(__file__).resolve().parents[2] / "tests/golden/optim/optimizers.json"
STEPS, KEPT = 10, (1, 2, 5, 10)
SHAPES = {"conv.weight": (2, 3, 3, 3), "bn.weight": (2,), "bn.bias": (2,), "fc.weight": (3, 2), "fc.bias": (3,)}
SCHEDULE = 'warmup = "4 steps"\nwarmup_from = "zero"\nwarmup_lr = 0.01\nmin_lr = 0.001'
NONE, WEIGHTS = (0, 0, 0, 0), (0.05, 0, 0, 0)

# name, options of ours, the peer's class and arguments, and the decay of (weights, norm scale, norm shift, other biases)
SGD, ADAMW, SGDW = torch.optim.SGD, torch.optim.AdamW, timm.optim.SGDW
LAMB, RMSPROP, LARS = timm.optim.Lamb, timm.optim.RMSpropTF, timm.optim.Lars
CASES = (
    ("sgd", "momentum = 0.0", SGD, dict(momentum=0.0), NONE),
    ("sgd", "momentum = 0.9", SGD, dict(momentum=0.9), NONE),
    ("sgd", "momentum = 0.9\nnesterov = true", SGD, dict(momentum=0.9, nesterov=True), NONE),
    ("sgd", "momentum = 0.0\nweight_decay = 0.05", SGD, dict(momentum=0.0), WEIGHTS),
    ("sgd", "momentum = 0.875\nnesterov = true\nweight_decay = 0.05", SGD, dict(momentum=0.875, nesterov=True), WEIGHTS),
    ("sgd", "weight_decay = 0.05\ndecay_norm_and_bias = true", SGD, dict(momentum=0.9), (0.05, 0.05, 0.05, 0.05)),
    ("sgd", "weight_decay = 0.05\nnorm_weight_decay = 0.02", SGD, dict(momentum=0.9), (0.05, 0.02, 0.02, 0)),
    ("sgd", "weight_decay = 0.05\nnorm_weight_decay = 0.02\nbias_weight_decay = 0.1", SGD, dict(momentum=0.9), (0.05, 0.02, 0.1, 0.1)),
    ("sgd", 'weight_decay = 0.05\ndecoupled = "rate"', SGDW, dict(momentum=0.9), WEIGHTS),
    ("sgd", 'nesterov = true\nweight_decay = 0.05\ndecoupled = "rate"', SGDW, dict(momentum=0.9, nesterov=True), WEIGHTS),
    # Composer's DecoupledSGDW takes off weight_decay · lr / lr₀: SGDW's with weight_decay / lr₀, lr₀ = 0.4.
    ("sgd", 'weight_decay = 0.02\ndecoupled = "schedule"', SGDW, dict(momentum=0.9), WEIGHTS),
    ("adamw", "", ADAMW, dict(), NONE),
    ("adamw", "weight_decay = 0.05", ADAMW, dict(), WEIGHTS),
    ("adamw", "betas = [0.8, 0.95]\neps = 1e-3\nweight_decay = 0.05", ADAMW, dict(betas=(0.8, 0.95), eps=1e-3), WEIGHTS),
    ("lamb", "", LAMB, dict(), NONE),
    ("lamb", "weight_decay = 0.05", LAMB, dict(), WEIGHTS),
    ("lamb", "weight_decay = 0.05\nmax_grad_norm = 0", LAMB, dict(max_grad_norm=None), WEIGHTS),
    ("lamb", "weight_decay = 0.05\nmax_grad_norm = 2.5\nbetas = [0.8, 0.95]\neps = 1e-3", LAMB,
     dict(max_grad_norm=2.5, betas=(0.8, 0.95), eps=1e-3), WEIGHTS),
    ("lamb", "weight_decay = 0.05\nbias_correction = false", LAMB, dict(bias_correction=False), WEIGHTS),
    ("lamb", "weight_decay = 0.05\ntrust_clip = true", LAMB, dict(trust_clip=True), WEIGHTS),
    ("lamb", "weight_decay = 0.05\nalways_adapt = true", LAMB, dict(always_adapt=True), WEIGHTS),
    ("lamb", "weight_decay = 0.05\ndecay_norm_and_bias = true", LAMB, dict(), (0.05, 0.05, 0.05, 0.05)),
    ("rmsprop_tf", "momentum = 0.0", RMSPROP, dict(momentum=0.0), NONE),
    ("rmsprop_tf", "weight_decay = 0.05", RMSPROP, dict(momentum=0.9), WEIGHTS),
    ("rmsprop_tf", "alpha = 0.8\neps = 1e-3\nlr_in_momentum = false\nweight_decay = 0.05", RMSPROP,
     dict(alpha=0.8, eps=1e-3, momentum=0.9, lr_in_momentum=False), WEIGHTS),
    ("lars", "weight_decay = 0.05", LARS, dict(momentum=0.9), WEIGHTS),
    ("lars", "weight_decay = 0.05\nmomentum = 0.0", LARS, dict(momentum=0.0), WEIGHTS),
    ("lars", "weight_decay = 0.05\nnesterov = true\ntrust_coeff = 0.02\neps = 1e-3", LARS,
     dict(momentum=0.9, nesterov=True, trust_coeff=0.02, eps=1e-3), WEIGHTS),
    ("lars", "weight_decay = 0.05\ntrust_coeff = 0.9\ntrust_clip = true", LARS, dict(momentum=0.9, trust_coeff=0.9, trust_clip=True), WEIGHTS),
    ("lars", "always_adapt = true", LARS, dict(momentum=0.9, always_adapt=True), NONE),
)


def flat(tensors):
    """Row-major numbers by name."""
    return {name: tensor.detach().contiguous().flatten().tolist() for name, tensor in tensors.items()}


def main():
    generator = torch.Generator().manual_seed(7)
    start = {name: torch.randn(shape, generator=generator, dtype=torch.float64) for name, shape in SHAPES.items()}
    gradients = [{name: torch.randn(shape, generator=generator, dtype=torch.float64) for name, shape in SHAPES.items()} for _ in range(STEPS)]
    cases, rates = [], []
    for ours, options, peer, arguments, (weights, scale, shift, bias) in CASES:
        parameters = {name: torch.nn.Parameter(tensor.clone()) for name, tensor in start.items()}
        decay = {"conv.weight": weights, "fc.weight": weights, "bn.weight": scale, "bn.bias": shift, "fc.bias": bias}
        optimizer = peer([dict(params=[parameters[name]], weight_decay=decay[name]) for name in SHAPES], lr=0.4, foreach=False, **arguments)
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
        cases.append(dict(optimizer=ours, options=("lr = 0.4\n" + options).strip(), after=after))
    OUT.parent.mkdir(parents=True, exist_ok=True)
    written = dict(versions=dict(torch=torch.__version__, timm=timm.__version__), shapes=SHAPES, start=flat(start), schedule=SCHEDULE, rates=rates,
                   gradients=[flat(each) for each in gradients], cases=cases)
    OUT.write_text(json.dumps(written) + "\n")


main()
