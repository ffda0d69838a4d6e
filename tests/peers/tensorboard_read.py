"""The tensorboard package reads what a run leaves behind: usage tensorboard_read.py PROGRAM (part of `make peers`).

Trains two epochs on a handful of made pictures and compares the scalars that TensorBoard's own reader finds
with summary.csv. The reader checks every record's CRC-32C. Needs: tensorboard, pillow, numpy.
"""
import csv
import pathlib
import subprocess
import sys
import tempfile

import numpy
from PIL import Image
from tensorboard.backend.event_processing import event_file_loader
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.backend.event_processing.io_wrapper import GetLogdirSubdirectories

FIXTURE = pathlib.Path(__file__).resolve().parents[1] / "golden/report"
COLUMNS = {"eval/loss": "eval_loss", "eval/top1": "eval_top1", "eval/top5": "eval_top5"}


def scalars(folder):
    """Tag → [value, …] in the order of steps, as TensorBoard's own reader sees a log folder."""
    if not list(GetLogdirSubdirectories(str(folder))):
        sys.exit(f"{folder}: tensorboard finds no event file")
    for file in sorted(folder.rglob("*tfevents*")):
        events = list(event_file_loader.EventFileLoader(str(file)).Load())
        if not events or events[0].file_version != "brain.Event:2":
            sys.exit(f"{file}: does not open with brain.Event:2")
    accumulator = EventAccumulator(str(folder), size_guidance={"scalars": 0, "tensors": 0}).Reload()
    found = {tag: [event.value for event in accumulator.Scalars(tag)] for tag in accumulator.Tags()["scalars"]}
    for tag in accumulator.Tags()["tensors"]:  # the reader turns simple values into tensors
        found[tag] = [value for event in accumulator.Tensors(tag) for value in event.tensor_proto.float_val]
    return found


def make_pictures(root):
    chance = numpy.random.default_rng(0)
    for split, count in (("train", 16), ("val", 8)):
        for label, name in enumerate(("dark", "light")):
            (root / split / name).mkdir(parents=True)
            for i in range(count):
                pixels = chance.integers(0, 100, (32, 32, 3)) + 100 * label
                Image.fromarray(pixels.astype("uint8")).save(root / split / name / f"{i}.png")


def main():
    loss = scalars(FIXTURE)["train/loss"]
    assert numpy.allclose(loss, [2.5, 1.25, 2.5 / 3, 0.625, 0.5]), loss
    with tempfile.TemporaryDirectory() as temporary:
        root = pathlib.Path(temporary)
        make_pictures(root / "data")
        command = [sys.argv[1], "train", str(root / "data"), "--recipe", "plain", "--model", "cifar_resnet8", "--img-size", "32",
                   "--epochs", "2", "-b", "8", "--lr", "0.05", "--output", str(root), "--name", "run", "--device", "cpu"]
        subprocess.run(command, check=True, capture_output=True)
        found = scalars(root / "run/tensorboard")
        rows = list(csv.DictReader((root / "run/summary.csv").open()))
        for tag, column in COLUMNS.items():
            wanted = [float(row[column]) for row in rows]
            if len(found[tag]) != len(wanted) or not numpy.allclose(found[tag], wanted, rtol=1e-5, atol=1e-4):
                sys.exit(f"{tag}: TensorBoard reads {found[tag]}, summary.csv says {wanted}")
    print(f"tensorboard reads {len(found)} scalars of a run; {', '.join(COLUMNS)} equal summary.csv")


main()
