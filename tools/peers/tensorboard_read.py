"""Reads event files that satchel wrote with the tensorboard package and prints their scalars as JSON, tag to [[step, value], …].

Usage: tensorboard_read.py FOLDER. Fails when the package finds no event file, a damaged record or a file format it does not know.
Part of `make peers`; without a folder it reads the fixture of tests/report/.
"""
import json
import pathlib
import sys

from tensorboard.backend.event_processing import event_file_loader
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.backend.event_processing.io_wrapper import GetLogdirSubdirectories

FIXTURE = pathlib.Path(__file__).resolve().parents[2] / "tests/golden/report"


def main():
    folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else FIXTURE
    if not list(GetLogdirSubdirectories(str(folder))):
        sys.exit(f"{folder}: tensorboard finds no event file")
    files = sorted(folder.rglob("*tfevents*"))
    for file in files:
        events = list(event_file_loader.EventFileLoader(str(file)).Load())
        if not events or events[0].file_version != "brain.Event:2":
            sys.exit(f"{file}: does not open with brain.Event:2")
    accumulator = EventAccumulator(str(folder), size_guidance={"scalars": 0, "tensors": 0}).Reload()
    scalars = {}
    for tag in accumulator.Tags()["tensors"]:  # the loader turns simple values into tensors
        for event in accumulator.Tensors(tag):
            proto = event.tensor_proto
            values = [v.decode() for v in proto.string_val] if proto.string_val else list(proto.float_val)
            scalars.setdefault(tag, []).append([event.step, values[0]])
    for tag in accumulator.Tags()["scalars"]:
        scalars[tag] = [[event.step, event.value] for event in accumulator.Scalars(tag)]
    if not scalars:
        sys.exit(f"{folder}: no values")
    print(json.dumps(scalars))


main()
