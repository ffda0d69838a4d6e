"""timm's train.py on a CPU in one process that counts as one of several: its repeated augmentation needs a distributed sampler.

    torchrun --nproc-per-node 1 bench/timm_one_process.py TRAIN_PY ARGUMENT…

timm 1.0.31 takes a world of one process for none (timm/utils/distributed.py, is_distributed_env), then refuses to repeat (timm/data/loader.py), and
names a CPU to DistributedDataParallel as if it were a GPU (timm/task/classification.py).
"""
import runpy
import sys

import timm.utils.distributed
import torch


class OnCpu(torch.nn.parallel.DistributedDataParallel):
    def __init__(self, module, device_ids=None, **options):
        super().__init__(module, **options)


timm.utils.distributed.is_distributed_env = lambda: True
torch.nn.parallel.DistributedDataParallel = OnCpu
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
