"""`satchel train` against PyTorch over ten steps in double, for ResNet-18 and ResNet-50 with 1 and 2 compute threads: every parameter,
running statistic and average within ‖Δ‖₂ ≤ 1e-7 · max(‖w‖₂, 1e-2). In fp32, where PyTorch does not equal itself over steps, the first
step's loss within 1e-6.

    python tests/peers/train_steps.py build/satchel
"""
import json
import pathlib
import subprocess
import sys
import tempfile

import timm
import torch
from safetensors.torch import load_file, save_file
from torch.nn import functional

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools/golden"))
import train_steps  # noqa: E402

SIZE = 64
TOLERANCE = 1e-7


def train(program, folder, name, threads, *overrides):
    command = [program, "train", folder / "pictures", "--recipe", folder / "recipe.toml", "--pretrained", folder / "init.safetensors", "--output",
               folder / "runs", "--name", name, "--device", "cpu", "--threads", str(threads), "-j", "1", "--result", folder / f"{name}.json"]
    for override in overrides:
        command += ["--set", override]
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"train_steps: satchel train ended with {done.returncode}: {done.stderr.strip().splitlines()[-1:]}")
    return folder / "runs" / name


def worst(path, expected):
    """The largest ‖Δ‖₂ / max(‖w‖₂, 1e-2) of the file's tensors, and whose it is."""
    found = load_file(path)
    largest, where, compared = -1.0, None, 0
    for name, tensor in expected.items():
        if not tensor.is_floating_point():
            continue
        if name not in found:
            sys.exit(f"train_steps: {path} lacks {name}")
        if found[name].dtype != torch.float64:
            sys.exit(f"train_steps: {path}: {name} is {found[name].dtype}, not float64")
        error = ((found[name] - tensor).norm() / max(tensor.norm().item(), 1e-2)).item()
        compared += 1
        if not error <= largest:
            largest, where = error, name
    return largest, f"{compared} tensors, worst {where}"


def compare(program, model_name, folder, lr):
    train_steps.write_pictures(folder / "pictures", width=80, height=70)
    (folder / "recipe.toml").write_text(train_steps.recipe(model_name, SIZE, lr))
    model = timm.create_model(model_name, num_classes=train_steps.CLASSES).double()
    with torch.no_grad():
        train_steps.fill(model)
    save_file({name: tensor.clone() for name, tensor in model.state_dict().items()}, folder / "init.safetensors")
    inputs, labels = train_steps.read_pictures(folder / "pictures", SIZE)

    rows = slice(0, train_steps.BATCH // train_steps.PARTS)
    single = timm.create_model(model_name, num_classes=train_steps.CLASSES)
    single.load_state_dict(model.state_dict())
    losses = []
    single.train()
    for _ in range(train_steps.PARTS):
        losses.append(functional.cross_entropy(single(inputs[rows].float()), labels[rows]).item())
        rows = slice(rows.stop, rows.stop + train_steps.BATCH // train_steps.PARTS)

    result, passed = train_steps.Steps(model, inputs, labels, lr), True
    for threads in (1, 2):
        run = train(program, folder, f"threads{threads}", threads)
        for file, expected in (("last.safetensors", result.model), ("last_ema.safetensors", result.average)):
            error, where = worst(run / file, expected)
            passed &= error <= TOLERANCE
            print(f"{model_name}, {threads} threads, {file}: {error:.1e} ({where}) {'ok' if error <= TOLERANCE else 'TOO FAR'}")
    train(program, folder, "fp32", 2, 'train.precision="fp32"', 'train.length="1 step"', "schedule.cosine.warmup=0")
    ours, theirs = json.loads((folder / "fp32.json").read_text())["last"]["train_loss"], sum(losses) / len(losses)
    close = abs(ours - theirs) <= 1e-6 * abs(theirs)
    print(f"{model_name}, fp32, loss of the first step: {ours:.8f}, PyTorch {theirs:.8f} {'ok' if close else 'TOO FAR'}")
    return passed and close


def main():
    program = pathlib.Path(sys.argv[1]).resolve()
    torch.set_num_threads(2)
    passed = True
    for model_name, lr in (("resnet18", train_steps.LR), ("resnet50", 0.005)):
        with tempfile.TemporaryDirectory() as folder:
            passed &= compare(program, model_name, pathlib.Path(folder), lr)
    sys.exit(0 if passed else 1)


main()
