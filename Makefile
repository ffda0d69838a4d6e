# The verbs of the project. `make` alone lists them.
# SPDX-License-Identifier: Apache-2.0
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

FASHION := /usr/share/datasets/fashion-mnist
PREFIX ?= /usr/local
# As many compilers as cores, fewer where memory is short: a file that includes LibTorch takes up to 1.4 GB.
JOBS ?= $(shell awk -v n=$$(nproc) '/MemAvailable/ {m = int($$2 / 1500000); print m < 1 ? 1 : m < n ? m : n}' /proc/meminfo)

.PHONY: help setup build demo test peers bench fmt tidy golden docs install

help: ## list the verbs
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' Makefile

setup: ## install what is missing from apt, and LibTorch into .deps (CUDA=1: with the GPU libraries)
	@tools/setup.sh

build: ## compile the program to build/satchel
	@cmake --preset release --log-level=WARNING
	@cmake --build --preset release -j $(JOBS)

demo: setup build ## set up, build, train on Fashion-MNIST
	build/satchel train $(FASHION) --recipe demo

test: setup build ## set up, build, run every test
	@ctest --preset release
