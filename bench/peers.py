"""Speed of satchel beside its peers, in turns within one run: `python bench/peers.py build/satchel [step|data|all] [options]`.

step: whole training steps against PyTorch eager (model(x), cross_entropy, backward, torch.optim.SGD), in the memory format that is faster
for PyTorch here; fp32: ResNet-50 at 224 px and the demo's network; bf16 (autocast): ResNet-50 at 160 px, ResNet-18 at 64 px, and ResNet-50
in small batches under LAMB, the peer's from timm. data: reading, decoding, random-resized crop and flip against timm's
Pillow pipeline and torchvision's decode_jpeg with transforms v2, per thread, and once more beside a foreign busy process.

Each pair of blocks gives one ratio (peer's time / satchel's); printed are its median and the interval between order statistics that
covers the true median with at least 95 % probability. Exit code 1 if an interval does not reach 1.0 or a median is below 0.97.
"""
import argparse
import json
import math
import multiprocessing
import os
import pathlib
import statistics
import subprocess
import sys
import time

import torch


class Satchel:
    """A `satchel bench … --on-demand` that waits between blocks."""

    def __init__(self, program, *arguments):
        command = [program, "bench", *map(str, arguments), "--on-demand"]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def block(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return float(self.process.stdout.readline())

    def close(self):
        # Not by closing its input: the peer's worker processes hold a copy of that pipe, and its end would never come.
        self.process.kill()
        self.process.wait()


def interval(ratios):
    """(low, median, high): order statistics around the median with at least 95 % coverage; the extremes when there are too few."""
    ordered, n = sorted(ratios), len(ratios)
    k = 0
    while k + 1 < n // 2 and 1 - 2 * sum(math.comb(n, i) for i in range(k + 2)) / 2**n >= 0.95:
        k += 1
    return ordered[k], statistics.median(ordered), ordered[n - 1 - k]


def cpu_seconds():
    """Busy and stolen seconds of the whole host so far."""
    fields = [int(v) / os.sysconf("SC_CLK_TCK") for v in pathlib.Path("/proc/stat").read_text().split("\n")[0].split()[1:]]
    return sum(fields[:3]) + sum(fields[5:8]), fields[7]


def alternate(name, satchel, peer, pairs, per_block):
    """Blocks in turns, the order swapped each time; `per_block` pictures in a block."""
    satchel(), peer()
    ours, theirs = [], []
    began, (busy, stolen) = time.perf_counter(), cpu_seconds()
    for i in range(pairs):
        first, second = (satchel, peer) if i % 2 == 0 else (peer, satchel)
        a, b = first(), second()
        ours.append(a if i % 2 == 0 else b)
        theirs.append(b if i % 2 == 0 else a)
    seconds, (busy_now, stolen_now) = time.perf_counter() - began, cpu_seconds()
    low, middle, high = interval([t / o for t, o in zip(theirs, ours)])
    result = {
        "what": name, "pairs": pairs, "ratio": middle, "low": low, "high": high,
        "satchel_images_per_second": per_block / statistics.median(ours), "peer_images_per_second": per_block / statistics.median(theirs),
        "host_busy_cores": (busy_now - busy) / seconds, "host_stolen_cores": (stolen_now - stolen) / seconds, "load": os.getloadavg()[0],
        "satchel_seconds": ours, "peer_seconds": theirs,
    }
    result["passes"] = middle >= 0.97 and high >= 1.0
    print(f"{name}: ratio {middle:.3f} [{low:.3f}, {high:.3f}] over {pairs} pairs; satchel {result['satchel_images_per_second']:.1f}, "
          f"peer {result['peer_images_per_second']:.1f} images/s; host busy {result['host_busy_cores']:.1f} cores, "
          f"load {result['load']:.1f}{'' if result['passes'] else '   NOT REACHED'}", flush=True)
    return result


# ---- steps --------------------------------------------------------------------------------------------------------------------


class CifarBlock(torch.nn.Module):
    def __init__(self, inside, outside, stride):
        super().__init__()
        self.conv1 = torch.nn.Conv2d(inside, outside, 3, stride, 1, bias=False)
        self.bn1 = torch.nn.BatchNorm2d(outside)
        self.conv2 = torch.nn.Conv2d(outside, outside, 3, 1, 1, bias=False)
        self.bn2 = torch.nn.BatchNorm2d(outside)
        self.added = outside - inside

    def forward(self, x):
        y = torch.nn.functional.relu(self.bn1(self.conv1(x)), inplace=True)
        y = self.bn2(self.conv2(y))
        if self.added:
            x = torch.nn.functional.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, self.added // 2, self.added // 2))
        return torch.nn.functional.relu(y + x, inplace=True)


class CifarResNet(torch.nn.Module):
    """He et al. 2015, section 4.2, with option-A shortcuts."""

    def __init__(self, depth, classes):
        super().__init__()
        self.conv1, self.bn1 = torch.nn.Conv2d(3, 16, 3, 1, 1, bias=False), torch.nn.BatchNorm2d(16)
        blocks, inside = [], 16
        for stage, planes in enumerate((16, 32, 64)):
            for i in range((depth - 2) // 6):
                blocks.append(CifarBlock(inside, planes, 2 if stage and i == 0 else 1))
                inside = planes
        self.blocks, self.fc = torch.nn.Sequential(*blocks), torch.nn.Linear(64, classes)

    def forward(self, x):
        x = torch.nn.functional.relu(self.bn1(self.conv1(x)), inplace=True)
        return self.fc(self.blocks(x).mean((2, 3)))


def build(model, classes):
    if model.startswith("cifar_resnet"):
        return CifarResNet(int(model.removeprefix("cifar_resnet")), classes)
    import timm
    return timm.create_model(model, num_classes=classes)


class Eager:
    """Training steps in PyTorch eager."""

    def __init__(self, case, memory_format):
        torch.manual_seed(0)
        self.network = build(case["model"], case["classes"]).train().to(memory_format=memory_format)
        self.x = torch.rand(case["batch"], 3, case["img_size"], case["img_size"]).to(memory_format=memory_format)
        self.y = torch.arange(case["batch"]) % case["classes"]
        if case.get("optimizer") == "lamb":
            import timm.optim
            self.optimizer = timm.optim.create_optimizer_v2(self.network, opt="lamb", lr=0.001, weight_decay=0.02)
        else:
            self.optimizer = torch.optim.SGD(self.network.parameters(), lr=0.001, momentum=0.9, weight_decay=1e-4)
        self.rounds, self.narrow = case["rounds"], case.get("precision") == "bf16"

    def block(self):
        began = time.perf_counter()
        for _ in range(self.rounds):
            self.optimizer.zero_grad(set_to_none=True)
            with torch.autocast("cpu", torch.bfloat16, enabled=self.narrow):
                loss = torch.nn.functional.cross_entropy(self.network(self.x), self.y)
            loss.backward()
            self.optimizer.step()
        return time.perf_counter() - began


STEPS = (
    {"model": "resnet50", "batch": 16, "img_size": 224, "classes": 1000, "rounds": 1},
    {"model": "cifar_resnet8", "batch": 128, "img_size": 28, "classes": 10, "rounds": 16},
    {"model": "cifar_resnet14", "batch": 128, "img_size": 32, "classes": 10, "rounds": 8},
    {"model": "resnet50", "batch": 32, "img_size": 160, "classes": 1000, "rounds": 1, "precision": "bf16"},
    {"model": "resnet18", "batch": 128, "img_size": 64, "classes": 10, "rounds": 2, "precision": "bf16"},
    {"model": "resnet50", "batch": 16, "img_size": 64, "classes": 10, "rounds": 4, "precision": "bf16", "optimizer": "lamb"},
)


def bench_step(options):
    torch.set_num_threads(options.threads)
    for case in STEPS:
        if options.model and case["model"] != options.model:
            continue
        formats = {"channels_last": torch.channels_last, "contiguous": torch.contiguous_format}
        peers = {name: Eager(case, layout) for name, layout in formats.items()}
        times = {name: min(peer.block() for _ in range(4)) for name, peer in peers.items()}
        better = min(times, key=times.get)
        peer = peers.pop(better)
        peers.clear()
        precision, optimizer = case.get("precision", "fp32"), case.get("optimizer", "sgd")
        more = ["--set", "optimizer={lamb={lr=0.001,weight_decay=0.02}}"] if optimizer == "lamb" else []
        satchel = Satchel(options.program, "step", "--model", case["model"], "-b", case["batch"], "--img-size", case["img_size"], "--classes",
                          case["classes"], "--rounds", case["rounds"], "--threads", options.threads, "--device", "cpu", "--precision", precision, *more)
        name = f"step {case['model']} {case['img_size']} px batch {case['batch']} {precision} {optimizer} {options.threads} threads vs PyTorch eager {better}"
        yield alternate(name, satchel.block, peer.block, options.pairs, case["batch"] * case["rounds"])
        satchel.close()


# ---- data ---------------------------------------------------------------------------------------------------------------------

SIDE = 224


class TimmPictures(torch.utils.data.Dataset):
    """timm's ImageDataset with its training transform, as its fast loader uses it: bytes out, normalised on the device."""

    def __init__(self, folder):
        from timm.data import ImageDataset, create_transform
        transform = create_transform(SIDE, is_training=True, use_prefetcher=True, color_jitter=0, hflip=0.5, interpolation="bilinear")
        self.pictures = ImageDataset(folder, transform=transform)

    def __len__(self):
        return len(self.pictures)

    def __getitem__(self, i):
        return torch.as_tensor(self.pictures[i][0])


class TorchvisionPictures(torch.utils.data.Dataset):
    """decode_jpeg and transforms v2 on tensors, bytes out."""

    def __init__(self, folder):
        import torchvision.transforms.v2 as v2
        self.files = sorted(p for p in pathlib.Path(folder).rglob("*") if p.suffix.lower() in {".jpg", ".jpeg"})
        self.transform = v2.Compose([v2.RandomResizedCrop(SIDE, antialias=True), v2.RandomHorizontalFlip()])

    def __len__(self):
        return len(self.files)

    def __getitem__(self, i):
        from torchvision.io import ImageReadMode, decode_jpeg, read_file
        return self.transform(decode_jpeg(read_file(str(self.files[i])), mode=ImageReadMode.RGB))


class PeerLoader:
    """Epochs over as many pictures as a block holds, so that nothing is loaded ahead of one block in another's time; workers = 0 loads in
    the main process."""

    def __init__(self, dataset, workers, batch, rounds):
        picked = torch.randperm(len(dataset), generator=torch.Generator().manual_seed(0))[:batch * rounds].tolist()
        self.loader = torch.utils.data.DataLoader(torch.utils.data.Subset(dataset, picked), batch, shuffle=True, num_workers=workers,
                                                  persistent_workers=workers > 0)

    def block(self):
        began = time.perf_counter()
        for _ in self.loader:
            pass
        return time.perf_counter() - began


def spin():
    while True:
        pass


def bench_data(options):
    torch.set_num_threads(1)
    train = options.data / "train" if (options.data / "train").is_dir() else options.data
    peers = {"timm (Pillow)": TimmPictures, "torchvision (decode_jpeg, v2)": TorchvisionPictures}
    for foreign in (False, True):
        busy = multiprocessing.get_context("fork").Process(target=spin, daemon=True) if foreign else None
        if busy:
            busy.start()
        for workers in (1,) if foreign else (1, 2, 4):
            for name, pictures in peers.items():
                # A process that does nothing but load is the peer's -j 1; with worker processes the main one only collects.
                peer = PeerLoader(pictures(train), 0 if workers == 1 else workers, 32, options.batches)
                satchel = Satchel(options.program, "data", options.data, "-j", workers, "-b", 32, "--img-size", SIDE, "--rounds",
                                  options.batches, "--device", "cpu")
                beside = ", beside a busy process" if foreign else ""
                yield alternate(f"data {SIDE} px -j {workers} vs {name}{beside}", satchel.block, peer.block, options.pairs, 32 * options.batches)
                satchel.close()
        if busy:
            busy.terminate()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", nargs="?", default="build/satchel")
    parser.add_argument("what", nargs="?", default="all", choices=("all", "step", "data"))
    parser.add_argument("--pairs", type=int, default=9)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--model", help="of the steps only this one")
    parser.add_argument("--data", type=pathlib.Path, default=pathlib.Path("../shared/data/grocery224"), help="folder of JPEG pictures")
    parser.add_argument("--batches", type=int, default=24, help="batches of 32 pictures in a block of data")
    parser.add_argument("--json", type=pathlib.Path, help="write every figure")
    options = parser.parse_args()
    cpu = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "unknown")
    print(f"PyTorch {torch.__version__}, {cpu}, {options.threads} threads, load {os.getloadavg()[0]:.1f}", flush=True)
    results = []
    if options.what in ("all", "step"):
        results += bench_step(options)
    if options.what in ("all", "data"):
        if options.data.is_dir():
            results += bench_data(options)
        else:
            print(f"data: skipped, no folder {options.data} (--data FOLDER)")
    if options.json:
        options.json.write_text(json.dumps({"torch": torch.__version__, "cpu": cpu, "results": results}, indent=2) + "\n")
    sys.exit(0 if all(r["passes"] for r in results) else 1)


if __name__ == "__main__":
    main()
