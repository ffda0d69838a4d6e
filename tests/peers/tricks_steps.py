"""`satchel train` against PyTorch and timm in double: five steps with each trick of "Bag of Tricks" alone and with all together (the cases of
tools/golden/tricks_steps.py), and for ResNet-18-D and ResNet-50-D with all of them; twelve steps of procedures A1, A2 and A3 of "ResNet strikes
back" (tools/golden/strikes_back_steps.py), for ResNet-18 and ResNet-50 too. Every parameter, running statistic and average within
‖Δ‖₂ ≤ 1e-7 · max(‖w‖₂, 1e-2). Distillation's teacher is a file; what chance decides is replayed.

    python tests/peers/tricks_steps.py build/satchel
"""
import dataclasses
import pathlib
import subprocess
import sys
import tempfile

import torch
from safetensors.torch import load_file, save_file

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools/golden"))
import strikes_back_steps  # noqa: E402
import train_steps  # noqa: E402
import tricks_steps  # noqa: E402

TOLERANCE = 1e-7
CASES = dict(tricks_steps.CASES)
CASES["resnet18d"] = tricks_steps.Case(model="resnet18d", size=64, lr=0.02, ema=0.8)
CASES["all_resnet18d"] = tricks_steps.Case(**(tricks_steps.PAPER | dict(lr_base=0.64)), model="resnet18d", size=64, clip=2.0)
CASES["all_resnet50d"] = tricks_steps.Case(**(tricks_steps.PAPER | dict(lr_base=0.16)), model="resnet50d", size=64, clip=2.0)
CASES["all_resnet50d_crops"] = tricks_steps.Case(**(tricks_steps.GLUON | dict(lr_base=0.16, batch=8)), model="resnet50d", size=64, crops=True)
PROCEDURES = dict(strikes_back_steps.CASES)
for name, case in strikes_back_steps.CASES.items():
    for model in ("resnet18", "resnet50"):
        PROCEDURES[f"{name}_{model}"] = dataclasses.replace(case, model=model, size=64)


def train(program, folder, golden, case):
    """The run folder of the case; ends the check with the program's last line when it fails."""
    (folder / "recipe.toml").write_text(golden.recipe(case, folder / "teacher.safetensors"))
    command = [program, "train", folder / "pictures", "--recipe", folder / "recipe.toml", "--pretrained", folder / "init.safetensors", "--output",
               folder / "runs", "--name", "run", "--device", "cpu", "--threads", "2", "-j", "1"]
    if draws := golden.trace(case, folder / "pictures"):
        (folder / "draws.jsonl").write_text(draws)
        command += ["--replay", folder / "draws.jsonl"]
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"tricks_steps: satchel train ended with {done.returncode}: {done.stderr.strip().splitlines()[-1:]}")
    return folder / "runs/run"


def worst(path, expected):
    """The largest ‖Δ‖₂ / max(‖w‖₂, 1e-2) of the file's tensors, and whose it is."""
    found, largest, where = load_file(path), -1.0, None
    for name, tensor in expected.items():
        if not tensor.is_floating_point():
            continue
        if name not in found or found[name].dtype != torch.float64:
            sys.exit(f"tricks_steps: {path} lacks {name} in float64")
        error = ((found[name] - tensor).norm() / max(tensor.norm().item(), 1e-2)).item()
        if not error <= largest:
            largest, where = error, name
    return largest, where


def save(model, path):
    save_file({name: tensor.clone() for name, tensor in model.state_dict().items()}, path)


def compare(program, golden, name, case):
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch)
        train_steps.write_pictures(folder / "pictures", width=40, height=34)
        model = golden.student_of(case)
        save(model, folder / "init.safetensors")
        save(tricks_steps.teacher(), folder / "teacher.safetensors")
        run, expected = train(program, folder, golden, case), golden.Run(case, model, folder / "pictures")
        error, where = worst(run / "last.safetensors", expected.model)
        text = f"{name:24} weights {error:.1e} ({where})"
        if expected.average:
            average, whose = worst(run / "last_ema.safetensors", expected.average)
            text, error = f"{text}, average {average:.1e} ({whose})", max(error, average)
        print(f"{text} {'ok' if error <= TOLERANCE else 'TOO FAR'}", flush=True)
        return error <= TOLERANCE


def main():
    program = pathlib.Path(sys.argv[1]).resolve()
    torch.set_num_threads(2)
    results = [compare(program, golden, name, case)
               for golden, cases in ((tricks_steps, CASES), (strikes_back_steps, PROCEDURES)) for name, case in cases.items()]
    sys.exit(0 if all(results) else 1)


main()
