"""Twelve updates of timm's ModelEmaV3 in double over weights that move: tests/golden/optim/ema.json."""
import json
import pathlib

import timm
import torch
from timm.utils import ModelEmaV3

OUT = pathlib.Path(__file__).resolve().parents[2] / "tests/golden/optim/ema.json"
UPDATES = 12
# our options → arguments of ModelEmaV3, and every how many updates it is called
CASES = {
    "decay = 0.9": (dict(decay=0.9), 1),
    "decay = 0.99\nwarmup = true": (dict(decay=0.99, use_warmup=True), 1),
    "decay = 0.7\nwarmup = true\ngamma = 2.0\npower = 0.75": (dict(decay=0.7, use_warmup=True, warmup_gamma=2.0, warmup_power=0.75), 1),
    'decay = 0.9\nafter = "4 steps"': (dict(decay=0.9, update_after_step=4), 1),
    'decay = 0.9\nwarmup = true\nafter = "3 steps"\nevery = "3 steps"': (dict(decay=0.9, use_warmup=True, update_after_step=3), 3),
}


def numbers(model):
    return {name: value.flatten().tolist() for name, value in model.state_dict().items()}


def move(model, generator):
    for value in model.state_dict().values():
        if value.is_floating_point():
            value.add_(torch.randn(value.shape, generator=generator, dtype=value.dtype))
        else:
            value.add_(1)


def main():
    cases, weights = [], []
    for options, (arguments, every) in CASES.items():
        torch.manual_seed(3)  # of the layers: every case starts from the same weights
        generator = torch.Generator().manual_seed(3)
        model = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.BatchNorm1d(3)).double()
        move(model, generator)
        ema, weights, averages = ModelEmaV3(model, **arguments), [numbers(model)], []
        for update in range(1, UPDATES + 1):
            move(model, generator)
            if update % every == 0:
                ema.update(model, step=update)
            weights.append(numbers(model))
            averages.append(numbers(ema.module))
        cases.append(dict(options=options, averages=averages))
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps(dict(versions=dict(timm=timm.__version__, torch=torch.__version__), weights=weights, cases=cases)) + "\n")


main()
