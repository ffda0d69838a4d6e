"""Runs the shell blocks of a document, so that what a page tells the reader to type is known to work.

Only fences marked ```sh run``` count. The blocks of one page run in order in one shell, in an empty temporary folder, with the built
program first in PATH; the first command that fails ends it.
usage: doc_blocks.py PROGRAM PAGE…    (`-` as PROGRAM prints the blocks and runs nothing)
"""
import os
import pathlib
import re
import subprocess
import sys
import tempfile

FENCE = re.compile(r"^```sh run[ \t]*\n(.*?)^```[ \t]*$", re.MULTILINE | re.DOTALL)


def run(program, page):
    blocks = FENCE.findall(page.read_text())
    if program == "-":
        print("\n".join(blocks))
        return len(blocks)
    with tempfile.TemporaryDirectory(prefix="satchel-docs-") as folder:
        path = f"{pathlib.Path(program).resolve().parent}:{os.environ.get('PATH', os.defpath)}"
        # -x prints each command before its output, so that a failure shows which one it was.
        done = subprocess.run(["bash", "-euxo", "pipefail", "-c", "\n".join(blocks)], cwd=folder, env=os.environ | {"PATH": path},
                              stdin=subprocess.DEVNULL, stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        sys.exit(f"{page}: a command of its `sh run` blocks ended with {done.returncode}")
    return len(blocks)


def main():
    program, *pages = sys.argv[1:]
    counts = {page: run(program, pathlib.Path(page)) for page in pages}
    if program == "-":
        return
    for page, count in counts.items():
        print(f"{page}: {count} blocks ran")
    if not any(counts.values()):
        sys.exit("no block marked `sh run` in " + ", ".join(pages))


main()
