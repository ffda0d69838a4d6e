"""The same recipe trained by satchel and by timm's train.py, seed by seed, and compared.

    python bench/timm_training.py build/satchel TRAIN_PY [--recipe rsb-a3] [--epochs 36] [--seeds 3] [--data DIR] [--output DIR] …

TRAIN_PY is train.py of timm's repository at the version of the installed wheel; its command comes from `satchel recipe to-timm`, so the two
cannot drift apart. Procedures with repeated augmentation go through torchrun and timm_one_process.py: timm repeats in a distributed sampler
alone. Runs go --parallel at a time and share the cores evenly. Every finished run is kept in OUTPUT/ledger.json: the same call goes on where it
was stopped. Printed: top-1 of each last epoch, mean and deviation, the difference with two standard errors, both commands, as Markdown. Exit
code 1 when satchel's mean is not within the smaller of one point and two standard errors of timm's, or more than 1.5 points below it.
"""
import argparse
import concurrent.futures
import csv
import json
import math
import os
import pathlib
import shlex
import statistics
import subprocess
import sys
import time


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", type=pathlib.Path)
    parser.add_argument("train_py", type=pathlib.Path)
    parser.add_argument("--recipe", default="rsb-a3")
    parser.add_argument("--model", default="resnet18")
    parser.add_argument("--img-size", type=int, default=64)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--epochs", type=int, default=36, help="timm's must reach 60 %%")
    parser.add_argument("--precision", default="bf16", help="of both; bf16 is timm's --amp --amp-dtype bfloat16")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--parallel", type=int, default=2, help="runs at a time")
    parser.add_argument("--data", type=pathlib.Path, default=pathlib.Path("../shared/data/cifar10-mini"))
    parser.add_argument("--output", type=pathlib.Path, default=pathlib.Path("timm-training"))
    return parser.parse_args()


def settings(a, seed):
    """What makes the recipe small, as --set takes it. Without smoothing its targets are timm's above a threshold."""
    return [f"evaluate.img_size={a.img_size}", f"augment.random_resized_crop.size={a.img_size}", f'train.length="{a.epochs} epochs"',
            f"train.batch={a.batch}", "train.min_epoch_steps=0", f"train.precision={a.precision}", f"train.seed={seed}"]


def threads(a):
    return max(1, os.cpu_count() // a.parallel)


def with_sets(a, seed):
    return [word for setting in settings(a, seed) for word in ("--set", setting)]


def ours(a, seed):
    return [str(a.program), "train", str(a.data), "--recipe", a.recipe, "--model", a.model, *with_sets(a, seed), "--output",
            str(a.output / "satchel"), "--name", f"seed{seed}", "--exist-ok", "--device", "cpu", "--threads", str(threads(a))]


def timms(a, seed):
    """The program's own translation, with what belongs to the machine and the folder added."""
    said = subprocess.run([str(a.program), "recipe", "to-timm", a.recipe, "--model", a.model, *with_sets(a, seed)], check=True, capture_output=True, text=True)
    words = shlex.split(said.stdout.replace("\\\n", " "))
    rest = words[words.index("DATA") + 1:]
    repeats = "--aug-repeats" in rest
    one_process = pathlib.Path(__file__).with_name("timm_one_process.py")
    launcher = ["torchrun", "--standalone", "--nproc-per-node", "1", str(one_process)] if repeats else [sys.executable]
    return launcher + [str(a.train_py), "--data-dir", str(a.data), "--train-split", "train", "--val-split", "val", "--num-classes",
                       str(len(list((a.data / "train").iterdir()))), "--workers", "1", "--device", "cpu", "--channels-last", "--output",
                       str(a.output / "timm"), "--experiment", f"seed{seed}", "--checkpoint-hist", "1"] + rest


def last_top1(summary):
    with open(summary) as file:
        return float(list(csv.DictReader(file))[-1]["eval_top1"])


def run(a, who, seed):
    """Trains; what the ledger keeps of it."""
    command = ours(a, seed) if who == "satchel" else timms(a, seed)
    folder = a.output / who / f"seed{seed}"
    if who == "timm" and folder.exists():
        subprocess.run(["rm", "-r", str(folder)], check=True)  # timm would take another name beside it
    before = time.monotonic()
    log = a.output / f"{who}-seed{seed}.log"
    with open(log, "w") as out:
        done = subprocess.run(command, stdout=out, stderr=subprocess.STDOUT, env={**os.environ, "OMP_NUM_THREADS": str(threads(a))}, check=False)
    if done.returncode != 0:
        sys.exit(f"timm_training: {who} ended with {done.returncode}: look at {log}")
    return dict(top1=last_top1(folder / "summary.csv"), seconds=time.monotonic() - before)


def shown(words):
    text, line = "", ""
    for word in map(shlex.quote, words):
        if len(line) + len(word) > 116:
            text, line = text + line + " \\\n", "   "
        line += (" " if line else "") + word
    return text + line


def table(a, ledger):
    found = {who: [ledger[f"{who} {seed}"] for seed in range(a.seeds)] for who in ("satchel", "timm")}
    means = {who: statistics.mean(r["top1"] for r in runs) for who, runs in found.items()}
    spread = {who: statistics.stdev(r["top1"] for r in runs) if a.seeds > 1 else math.inf for who, runs in found.items()}
    difference = means["satchel"] - means["timm"]
    errors = 2 * math.sqrt(sum(s * s / a.seeds for s in spread.values()))
    good = abs(difference) <= min(1.0, errors) and difference >= -1.5
    print(f"\n| seed | satchel | timm |\n|---|---|---|")
    for seed in range(a.seeds):
        print(f"| {seed} | {found['satchel'][seed]['top1']:.2f} | {found['timm'][seed]['top1']:.2f} |")
    print(f"| mean ± deviation | {means['satchel']:.2f} ± {spread['satchel']:.2f} | {means['timm']:.2f} ± {spread['timm']:.2f} |")
    print(f"| seconds, median | {statistics.median(r['seconds'] for r in found['satchel']):.0f} | {statistics.median(r['seconds'] for r in found['timm']):.0f} |")
    print(f"\nDifference {difference:+.2f}, two standard errors {errors:.2f}: {'equal' if good else 'NOT EQUAL'}.\n")
    for command in (ours(a, 0), timms(a, 0)):
        print(f"```sh\n{shown(command)}\n```\n")
    return good


def main():
    a = arguments()
    a.program, a.train_py = a.program.resolve(), a.train_py.resolve()
    a.output.mkdir(parents=True, exist_ok=True)
    path = a.output / "ledger.json"
    ledger = json.loads(path.read_text()) if path.exists() else {}
    missing = [(who, seed) for who in ("timm", "satchel") for seed in range(a.seeds) if f"{who} {seed}" not in ledger]  # the longest first
    failed = None
    with concurrent.futures.ThreadPoolExecutor(a.parallel) as runs:
        started = {runs.submit(run, a, who, seed): f"{who} {seed}" for who, seed in missing}
        for done in concurrent.futures.as_completed(started):
            if done.cancelled():
                continue
            if done.exception():
                failed = done
                for other in started:
                    other.cancel()  # those that have not begun would take hours; those that have are kept
                continue
            key, found = started[done], done.result()
            ledger[key] = found
            path.write_text(json.dumps(ledger, indent=1) + "\n")
            print(f"{key}: top-1 {found['top1']:.2f} %, {found['seconds']:.0f} s", flush=True)
    if failed:
        failed.result()
    sys.exit(0 if table(a, ledger) else 1)


main()
