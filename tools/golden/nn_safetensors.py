"""Writes tests/golden/nn/mixed.safetensors with the safetensors package: every dtype that satchel knows, empty, scalar and oddly named arrays."""
import pathlib

import safetensors
import safetensors.torch
import torch

out = pathlib.Path(__file__).resolve().parents[2] / "tests/golden/nn/mixed.safetensors"
arrays = {
    "b.long": torch.arange(3) - 1,
    "a.half": torch.tensor([1.5, -2.0], dtype=torch.float16),
    'é"quoted': torch.tensor([0.25, -8.0]),
    "c.bool": torch.tensor([True, False, True]),
    "d.double": torch.arange(6, dtype=torch.float64).reshape(2, 3) / 7,
    "e.scalar": torch.tensor(7),
    "f.empty": torch.zeros((0, 3)),
    "g.bfloat": torch.tensor([3.140625], dtype=torch.bfloat16),
    "h.byte": torch.tensor([1, 2, 255], dtype=torch.uint8),
    "i.int": torch.tensor([-1, 5], dtype=torch.int32),
}
# One key of metadata: the package writes several in no fixed order.
safetensors.torch.save_file(arrays, out, metadata={"made_by": f"safetensors {safetensors.__version__}\n\"ü\" <&>"})
print(out, out.stat().st_size)
