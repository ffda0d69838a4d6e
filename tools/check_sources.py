"""Fails on a source without a namesake test, a file without its opening lines, and words that do not belong; warns of long files.

satchel/image/resize.cpp is tested by tests/image/resize_test.cpp; an op of kernels/cpu and kernels/cuda has one test for both in
tests/kernels, and resize_avx2.cpp, another instruction set, is tested with resize.cpp. What needs no test of its own stands below, with the reason.
"""
import itertools
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
LONG = 400
LARGE = 500_000

# source (relative to satchel/) → why no file of tests bears its name
WITHOUT_TEST = {
    "cli/judge.cpp": "val and predict are run by tests/e2e",
    "cli/main.cpp": "the entry point; tests/e2e runs it",
    "cli/preview.cpp": "run by tests/e2e",
    "cli/train.cpp": "run by tests/e2e/train_test.cpp and resume_test.cpp",
    "experiment/child.cpp": "run by tests/experiment/runner_test.cpp",
    "kernels/cuda/none.cpp": "declines everything",
    "optim/averaging.cpp": "tests/optim/ema_test.cpp and swa_test.cpp, which are made of it",
    "optim/gather.cpp": "tests/optim/sgd_test.cpp: other layouts, missing gradients",
    "optim/lamb_cpu.cpp": "tests/optim/lamb_test.cpp holds it against operators",
    "optim/lars_cpu.cpp": "tests/optim/lars_test.cpp holds it against operators",
    "optim/pieces.cpp": "tests/optim/lamb_test.cpp: norms, and bytes that do not depend on threads",
    "optim/rmsprop_tf_cpu.cpp": "tests/optim/rmsprop_tf_test.cpp holds it against operators",
    "train/device_cpu.cpp": "every run of tests/e2e; wrong devices are in errors_test.cpp",
    "train/device_cuda.cpp": "needs a GPU",
    "train/device_nocuda.cpp": "says that there is no CUDA",
    "train/dry_run.cpp": "run by tests/e2e/train_test.cpp",
    "train/run.cpp": "run by tests/e2e/train_test.cpp and resume_test.cpp",
    "train/session.cpp": "run by tests/e2e/train_test.cpp and resume_test.cpp",
}

FORBIDDEN_WORDS = re.compile(r"\b(TODO|FIXME|XXX|HACK|placeholder|for now|lorem ipsum)\b", re.IGNORECASE)
MACHINE_PATHS = re.compile(r"(?<![\w.$}])/(home|root|work)/\w")
FORBIDDEN_NAMES = re.compile(r"^(utils?|common|helpers?|misc)$")
INSTRUCTION_SETS = re.compile(r"_(avx2|avx512|vnni|amx|neon)$")
CODE = {".h", ".cpp", ".cu"}
TEXT = CODE | {".py", ".sh", ".md", ".toml", ".cmake", ".txt", ".yaml", ".json", ".1", ""}


def tracked():
    """Files of the repository: what git knows or would know; every file where there is no git (a source archive)."""
    command = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listing = subprocess.run(command, capture_output=True, text=True, check=False)
    if listing.returncode == 0:
        paths = [ROOT / name for name in listing.stdout.split("\0") if name]
    else:
        paths = [path for path in ROOT.rglob("*") if not re.match(r"(build|\.deps|runs|\.git)", str(path.relative_to(ROOT)))]
    return sorted(path for path in paths if path.is_file() and not path.is_symlink())


def missing_tests(files):
    for path in files:
        if path.suffix != ".cpp" or path.relative_to(ROOT).parts[0] != "satchel":
            continue
        inside = path.relative_to(ROOT / "satchel")
        folder = inside.parent.parent if inside.parent.parent.name == "kernels" else inside.parent
        test = ROOT / "tests" / folder / (INSTRUCTION_SETS.sub("", inside.stem) + "_test.cpp")
        if not test.exists() and str(inside) not in WITHOUT_TEST:
            yield f"{path.relative_to(ROOT)}: no {test.relative_to(ROOT)}"
    for name in WITHOUT_TEST:
        if not (ROOT / "satchel" / name).exists():
            yield f"tools/check_sources.py: satchel/{name} is on the list of sources without a test, but does not exist"


def wording(path, text):
    where = path.relative_to(ROOT)
    if path == pathlib.Path(__file__).resolve():
        return
    for number, line in enumerate(text.splitlines(), 1):
        for pattern, what in ((FORBIDDEN_WORDS, "a word that promises instead of doing"), (MACHINE_PATHS, "a path of one machine")):
            match = pattern.search(line)
            if match:
                yield f"{where}:{number}: {what}: {match[0]!r}"


def opening(path, text):
    where = path.relative_to(ROOT)
    if path.suffix not in CODE:
        return
    lines = list(itertools.takewhile(lambda line: line.startswith("//"), text.splitlines()))
    if not lines or not lines[0].startswith("// ") or "SPDX" in lines[0]:
        yield f"{where}: does not open with a comment that says what it is"
    if not any("SPDX-License-Identifier: Apache-2.0" in line for line in lines):
        yield f"{where}: no SPDX line in its opening comment"


def main():
    files = tracked()
    found, warnings = list(missing_tests(files)), []
    for path in files:
        if FORBIDDEN_NAMES.match(path.stem):
            found.append(f"{path.relative_to(ROOT)}: a file is called by what it holds, not {path.stem}")
        if path.stat().st_size > LARGE:
            warnings.append(f"warning: {path.relative_to(ROOT)}: {path.stat().st_size} bytes; can it be smaller, or a hash?")
        if path.suffix not in TEXT or path.name == "LICENSE":
            continue
        text = path.read_text(encoding="utf-8", errors="replace")
        found += wording(path, text)
        found += opening(path, text)
        length = text.count("\n")
        if path.suffix in CODE | {".py"} and length > LONG:
            warnings.append(f"warning: {path.relative_to(ROOT)}: {length} lines, aim at {LONG} or fewer")
    print("\n".join(warnings + found) or f"sources: {len(files)} files, each with its test and its opening lines")
    sys.exit(1 if found else 0)


main()
