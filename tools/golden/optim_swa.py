"""Twelve updates over weights that move, averaged by torch.optim.swa_utils.AveragedModel in double: tests/golden/optim/swa.json. Until the first
averaging the average is a copy of the weights at each interval."""
import json
import pathlib

import torch
from torch.optim.swa_utils import AveragedModel

OUT = pathlib.Path(__file__).resolve().parents[2] / "tests/golden/optim/swa.json"
UPDATES = 12
# our options → after, every in updates
CASES = {'after = "4 steps"\nevery = "2 steps"': (4, 2), 'after = "0 steps"\nevery = "1 steps"': (0, 1), 'after = "5 steps"\nevery = "3 steps"': (5, 3),
         'after = "50 %"\nevery = "1 epochs"': (6, 4)}  # of 12 steps, 4 an epoch


def numbers(model):
    return {name: value.flatten().tolist() for name, value in model.state_dict().items() if value.is_floating_point()}


def main():
    cases, weights = [], []
    for options, (after, every) in CASES.items():
        torch.manual_seed(3)
        model = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.BatchNorm1d(3)).double()
        generator = torch.Generator().manual_seed(3)
        average, weights, averages, shown = AveragedModel(model, use_buffers=True), [numbers(model)], [], numbers(model)
        for update in range(1, UPDATES + 1):
            for value in model.state_dict().values():
                if value.is_floating_point():
                    value.add_(torch.randn(value.shape, generator=generator, dtype=value.dtype))
            if update % every == 0:
                shown = numbers(model)
                if update > after:
                    average.update_parameters(model)
                    shown = numbers(average.module)
            weights.append(numbers(model))
            averages.append(shown)
        cases.append(dict(options=options, averages=averages))
    OUT.write_text(json.dumps(dict(versions=dict(torch=torch.__version__), steps_per_epoch=4, weights=weights, cases=cases)) + "\n")


main()
