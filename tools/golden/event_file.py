"""Writes tests/golden/report/events.tfevents with the tensorboard package's own record writer; tests/report/tensorboard_test.cpp
writes the same values and compares bytes. Needs: tensorboard (fixture made with 2.21.0)."""
import math
import pathlib

from tensorboard.compat.proto import event_pb2, summary_pb2, tensor_pb2, tensor_shape_pb2, types_pb2
from tensorboard.summary.writer.record_writer import RecordWriter

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
OUT = ROOT / "tests/golden/report/events.tfevents"


def scalar(tag, value, step, time):
    value = summary_pb2.Summary.Value(tag=tag, simple_value=value)
    return event_pb2.Event(wall_time=time, step=step, summary=summary_pb2.Summary(value=[value]))


def text(tag, content, step, time):
    shape = tensor_shape_pb2.TensorShapeProto(dim=[tensor_shape_pb2.TensorShapeProto.Dim(size=1)])
    tensor = tensor_pb2.TensorProto(dtype=types_pb2.DT_STRING, tensor_shape=shape, string_val=[content.encode()])
    metadata = summary_pb2.SummaryMetadata(
        plugin_data=summary_pb2.SummaryMetadata.PluginData(plugin_name="text"), data_class=summary_pb2.DATA_CLASS_TENSOR)
    value = summary_pb2.Summary.Value(tag=tag, tensor=tensor, metadata=metadata)
    return event_pb2.Event(wall_time=time, step=step, summary=summary_pb2.Summary(value=[value]))


def main():
    start = 1700000000.25
    events = [event_pb2.Event(wall_time=start, file_version="brain.Event:2")]
    for step in range(5):
        events.append(scalar("train/loss", 2.5 / (step + 1), step * 1000, start + step))
        if step == 2:
            events.append(text("recipe", 'model = "resnet18"\nbatch = 64 µ', step, start + step))
        events.append(scalar("eval/top1", math.nan if step == 3 else 10.0 * step, step, start + 0.25 + step))
    OUT.parent.mkdir(parents=True, exist_ok=True)
    with open(OUT, "wb") as file:
        writer = RecordWriter(file)
        for event in events:
            writer.write(event.SerializeToString(deterministic=True))
    print(OUT.relative_to(ROOT), OUT.stat().st_size, "bytes")


main()
