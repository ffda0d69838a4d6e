"""The rates of timm's and torch's schedulers for a table of settings beside our words for them: tests/golden/optim/schedules.json."""
import json
import pathlib

import timm
import torch
from timm.scheduler.cosine_lr import CosineLRScheduler
from timm.scheduler.multistep_lr import MultiStepLRScheduler
from timm.scheduler.poly_lr import PolyLRScheduler
from timm.scheduler.step_lr import StepLRScheduler

OUT = pathlib.Path(__file__).resolve().parents[2] / "tests/golden/optim/schedules.json"
LR = 0.4


def optimizer():
    return torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=LR)


def timm_rates(scheduler, epochs, steps_per_epoch, **arguments):
    """The rate of every update, moved once an epoch or once an update."""
    stepped = optimizer()
    schedule = scheduler(stepped, **arguments)
    rates = []
    for step in range(epochs * steps_per_epoch):
        schedule.step(step // steps_per_epoch)
        schedule.step_update(step)
        rates.append(stepped.param_groups[0]["lr"])
    return rates


def torch_rates(make, steps):
    stepped = optimizer()
    schedule = make(stepped)
    rates = []
    for _ in range(steps):
        rates.append(stepped.param_groups[0]["lr"])
        stepped.step()
        schedule.step()
    return rates


def falling_cases(name, scheduler, words="", **shape):
    for per, tick in (("epoch", 1), ("step", 3)):
        for warmup, prefix, cycles, cooldown in ((0, False, 1, 0), (3, False, 1, 0), (3, True, 1, 0), (3, True, 3, 0), (0, False, 2, 0), (3, False, 1, 2), (3, True, 2, 2)):
            epochs, steps_per_epoch = 11 + cooldown + (1 if cycles > 1 else 0), 3
            length = epochs - cooldown - (warmup if prefix else 0)
            if length % cycles:
                epochs, length = epochs + cycles - length % cycles, length + cycles - length % cycles
            options = words + f'per = "{per}"\nmin_lr = 0.002\n'
            arguments = dict(t_initial=length * tick // cycles, lr_min=0.002, cycle_limit=cycles, t_in_epochs=per == "epoch", warmup_prefix=prefix, **shape)
            if warmup:
                options += f'warmup = "{warmup} epochs"\nwarmup_lr = 0.05\nwarmup_from = "zero"\n'
                arguments |= dict(warmup_t=warmup * tick, warmup_lr_init=0.05)
            options += ("warmup_prefix = true\n" if prefix else "") + (f"cycles = {cycles}\n" if cycles > 1 else "")
            options += f'cooldown = "{cooldown} epochs"\n' if cooldown else ""
            yield name, options, epochs, steps_per_epoch, timm_rates(scheduler, epochs, steps_per_epoch, **arguments)


def stair_cases():
    warm = dict(warmup_t=2, warmup_lr_init=1e-3, warmup_prefix=False)
    words = 'warmup = "2 epochs"\nwarmup_lr = 1e-3\nwarmup_from = "zero"\nwarmup_per = "epoch"\n'
    yield "constant", words, 9, 4, timm_rates(StepLRScheduler, 9, 4, decay_t=1, decay_rate=1.0, **warm)
    # timm compares a milestone with the epoch after the current one, hence the 1 added.
    yield "step", words + 'milestones = ["4 epochs", "7 epochs"]\n', 9, 4, timm_rates(MultiStepLRScheduler, 9, 4, decay_t=[5, 8], decay_rate=0.1, **warm)
    yield "step", words + 'every = "3 epochs"\nfactor = 0.5\n', 9, 4, timm_rates(StepLRScheduler, 9, 4, decay_t=3, decay_rate=0.5, **warm)
    yield "exponential", words + 'every = "3 epochs"\nfactor = 0.5\nstaircase = true\n', 9, 4, timm_rates(StepLRScheduler, 9, 4, decay_t=3, decay_rate=0.5, **warm)
    # timm's EfficientNet stairs of 2.4 epochs, moved once an update
    yield ("exponential", 'every = "2.4 epochs"\nfactor = 0.97\nstaircase = true\n', 12, 6,
           timm_rates(StepLRScheduler, 12, 6, decay_t=2.4 * 6, decay_rate=0.97, t_in_epochs=False))
    schedulers = torch.optim.lr_scheduler
    yield "step", 'milestones = ["30 %", "18 steps"]\n', 5, 4, torch_rates(lambda o: schedulers.MultiStepLR(o, [6, 18], 0.1), 20)
    yield "exponential", 'every = "1 step"\nfactor = 0.9\n', 3, 5, torch_rates(lambda o: schedulers.ExponentialLR(o, 0.9), 15)
    yield "poly", "", 4, 5, torch_rates(lambda o: schedulers.PolynomialLR(o, 20, 1.0), 20)
    yield "cosine", 'min_lr = 0.01\n', 4, 5, torch_rates(lambda o: schedulers.CosineAnnealingLR(o, 20, 0.01), 20)
    # torchvision's references/classification: LinearLR, then a cosine over the rest
    def torchvision(o):
        warmup = schedulers.LinearLR(o, start_factor=0.01, total_iters=5)
        return schedulers.SequentialLR(o, [warmup, schedulers.CosineAnnealingLR(o, T_max=15)], [5])
    yield "cosine", 'warmup = "5 steps"\nwarmup_lr = 0.004\nwarmup_from = "zero"\nwarmup_prefix = true\n', 4, 5, torch_rates(torchvision, 20)


def main():
    cases = [dict(schedule=name, options=options, steps_per_epoch=steps, total_steps=epochs * steps, rates=rates)
             for name, options, epochs, steps, rates in [*falling_cases("cosine", CosineLRScheduler), *falling_cases("poly", PolyLRScheduler, "power = 0.7\n", power=0.7), *stair_cases()]]
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps(dict(versions=dict(timm=timm.__version__, torch=torch.__version__), base_rate=LR, cases=cases)) + "\n")


main()
