"""timm's train.py in one process that counts as one of several: its repeated augmentation needs a distributed sampler.

    torchrun --nproc-per-node 1 bench/timm_one_process.py TRAIN_PY ARGUMENT…

timm 1.0.31 takes a world of one process for none (timm/utils/distributed.py, is_distributed_env) and then refuses to repeat (timm/data/loader.py).
"""
import runpy
import sys

import timm.utils.distributed

timm.utils.distributed.is_distributed_env = lambda: True
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
