"""Reads the table of folders in docs/architecture.md and fails on any other include, a side door, or torch below the line.

A row reads `| folder/ | no | base/ recipe/ |`: the folder, whether it may include torch, the folders whose doors it may include.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
TORCH = re.compile(r'#\s*include\s*[<"](torch|ATen|c10|caffe2)/')
FAT_TORCH = re.compile(r'#\s*include\s*[<"](torch/torch\.h|torch/nn\.h|torch/all\.h|torch/types\.h|torch/extension\.h|ATen/ATen\.h|ATen/Functions\.h)')
OURS = re.compile(r'#\s*include\s*"satchel/([^/"]+)/([^"]+)"')


def read_table():
    folders = {}
    for line in (ROOT / "docs/architecture.md").read_text().splitlines():
        match = re.match(r"\|\s*`(\w+)/`\s*\|\s*(yes|no)\s*\|(.*)\|\s*$", line)
        if match:
            folders[match[1]] = (match[2] == "yes", set(re.findall(r"`(\w+)/`", match[3])))
    return folders


def problems(folders):
    for path in sorted((ROOT / "satchel").rglob("*")):
        if path.suffix not in {".h", ".cpp", ".cu"}:
            continue
        folder = path.relative_to(ROOT / "satchel").parts[0]
        if folder not in folders:
            yield f"{path.relative_to(ROOT)}: folder {folder}/ is not in the table of docs/architecture.md"
            continue
        torch, allowed = folders[folder]
        for number, line in enumerate(path.read_text().splitlines(), 1):
            where = f"{path.relative_to(ROOT)}:{number}"
            if TORCH.match(line) and not torch:
                yield f"{where}: torch below the torch line"
            if FAT_TORCH.match(line):
                yield f"{where}: includes all of torch; include ATen/core/Tensor.h and the ATen/ops/<op>.h it calls"
            match = OURS.match(line)
            if not match or match[1] == folder:
                continue
            other, header = match[1], match[2]
            if other not in allowed:
                yield f"{where}: {folder}/ may not include {other}/"
            elif other != "base" and header != f"{other}.h":
                yield f"{where}: side door; include satchel/{other}/{other}.h"


def main():
    folders = read_table()
    if not folders:
        sys.exit("docs/architecture.md: no table of folders found")
    found = list(problems(folders))
    print("\n".join(found) or f"layers: {len(folders)} folders, no forbidden include")
    sys.exit(1 if found else 0)


main()
