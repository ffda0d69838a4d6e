#!/usr/bin/env bash
# The installed tree stands alone: it is moved after the installation, a program of 60 lines is built against its CMake package, and both run
# with the checkout's build folder and .deps out of sight.
# SPDX-License-Identifier: Apache-2.0
set -euo pipefail
build=$1 checkout=$PWD
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cmake --install "$build" --prefix "$work/first" >"$work/install.log" || { cat "$work/install.log"; exit 1; }
mv "$work/first" "$work/tree"
tree=$work/tree

fail() { echo "install_test: $*" >&2; exit 1; }
for file in bin/satchel lib/libsatchel.so lib/libtorch_cpu.so lib/libc10.so lib/libgomp.so.1 lib/libcudart.so.13 lib/libcupti.so.13 \
  include/satchel/image/image.h include/satchel/predict/predict.h lib/cmake/satchel/satchelConfig.cmake share/man/man1/satchel.1 \
  share/bash-completion/completions/satchel share/zsh/site-functions/_satchel share/satchel/recipes/plain.toml; do
  [ -s "$tree/$file" ] || fail "$file is missing or empty"
done
! grep -rlE 'include [<"](torch|ATen|c10)/' "$tree/include" || fail "an installed header includes LibTorch"
! grep -rlF "$checkout" "$tree/lib/cmake" "$tree/share" "$tree/include" || fail "an installed text file names the checkout"

cmake -S examples/classify -B "$work/classify" -G Ninja -DCMAKE_PREFIX_PATH="$tree" >"$work/classify.log" &&
  cmake --build "$work/classify" >>"$work/classify.log" || { cat "$work/classify.log"; fail "examples/classify does not build"; }

# Nothing may be loaded from the checkout…
for file in "$tree/bin/satchel" "$tree/lib/libsatchel.so" "$tree/lib/libtorch_cpu.so" "$work/classify/classify"; do
  loaded=$(ldd "$file")
  ! grep -F -e "not found" -e "$checkout/" -e "$(realpath "$checkout/.deps")/" <<<"$loaded" || fail "$file needs what is not installed"
done
# …and where the kernel lets us, build and .deps are covered by empty folders while the programs run.
hidden=()
if unshare -rm true 2>/dev/null; then
  hidden=(unshare -rm bash -c 'mount -t tmpfs none "$0" && mount -t tmpfs none "$1" && shift 1 && exec "$@"' "$build" "$(realpath "$checkout/.deps")")
fi
installed() { "${hidden[@]}" "$@" 2>"$work/errors" || { cat "$work/errors" >&2; fail "failed: $*"; }; }

installed "$tree/bin/satchel" --version
python3 tests/e2e/make_pictures.py "$work/pictures"
installed "$tree/bin/satchel" train "$work/pictures" --recipe plain --model cifar_resnet8 --img-size 32 --batch-size 4 --set 'train.length="2 steps"' \
  --set optimizer.sgd.lr=0.01 --device cpu --output "$work/runs" --name tiny >/dev/null
answers=$(installed "$work/classify/classify" "$work/runs/tiny" "$work/pictures/val/red/0.png" "$work/pictures/absent.png")
echo "$answers"
# Two classes for the picture, an error for the absent one, one answer for the middle.
[ "$(wc -l <<<"$answers")" -eq 4 ] || fail "classify answered otherwise than expected"
grep -q "absent.png: " <<<"$answers" || fail "classify said nothing of the absent picture"
