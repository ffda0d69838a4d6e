# The verbs of the project. `make` alone lists them.
# SPDX-License-Identifier: Apache-2.0
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
.NOTPARALLEL:

FASHION := /usr/share/datasets/fashion-mnist
PREFIX ?= /usr/local
# 1: LibTorch with its GPU libraries (make setup CUDA=1) and the CUDA path in the program (make build CUDA=1, needs nvcc).
CUDA ?= 0
export CUDA
# As many compilers as cores, fewer where memory is short: a file that includes LibTorch takes up to 1.4 GB.
JOBS ?= $(shell awk -v n=$$(nproc) '/MemAvailable/ {m = int($$2 / 1500000); print m < 1 ? 1 : m < n ? m : n}' /proc/meminfo)

.PHONY: help setup build demo test peers bench fmt tidy golden docs install cuda-check

help: ## list the verbs
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' Makefile

setup: ## install what is missing from apt, and LibTorch into .deps (CUDA=1: with the GPU libraries)
	@tools/setup.sh

configure = cmake --preset release --log-level=WARNING -DSATCHEL_CUDA=$(if $(filter 1,$(CUDA)),ON,OFF)

build: ## compile the program to build/satchel, the library and the tests (CUDA=1: with the CUDA path)
	@$(configure)
	@cmake --build --preset release -j $(JOBS)

demo: setup ## set up, compile the program, train on Fashion-MNIST
	@$(configure)
	@cmake --build --preset release -j $(JOBS) --target satchel
	build/satchel train $(FASHION) --recipe demo

test: setup build ## set up, build, run every test
	@ctest --preset release

peers: setup build ## compare with PyTorch, timm and tensorboard (Python, installed into .deps/peers)
	@PEERS=1 tools/setup.sh
	@set -e; for check in tests/peers/*.py; do echo "peers: $$check"; .deps/peers/bin/python $$check build/satchel; done

bench: setup build ## time the step, the loader and the kernels against their peers
	@PEERS=1 tools/setup.sh
	@ninja -C build satchel_bench
	@.deps/peers/bin/python bench/peers.py build/satchel
	@.deps/peers/bin/python bench/rand_augment.py build/satchel_bench

fmt: ## format C++ sources (clang-format 14)
	@git ls-files -z -co --exclude-standard '*.h' '*.cpp' '*.cu' | xargs -0r clang-format -i

tidy: setup ## clang-tidy over every source, warnings as errors
	@cmake --preset tidy --log-level=WARNING
	@cmake --build --preset tidy -j $(JOBS)

golden: setup build ## write the fixtures of tests/golden again, with timm, torchvision and Pillow
	@PEERS=1 tools/setup.sh
	@set -e; for script in tools/golden/*.py; do echo "golden: $$script"; .deps/peers/bin/python $$script tests/golden; done

docs: setup build ## write docs/reference again from the program
	@build/satchel explain --reference docs/reference

install: setup build ## install under PREFIX (default /usr/local) as a tree that can be moved
	@cmake --install build --prefix $(PREFIX)

cuda-check: ## compile and link the CUDA path; needs nvcc, no GPU
	@cmake --preset cuda --log-level=WARNING
	@cmake --build --preset cuda --target satchel -j $(JOBS)
