#!/usr/bin/env bash
# Installs what building, testing and the demonstration need: Debian packages through apt, LibTorch from its PyPI wheel into .deps/venv.
# Does nothing twice. CUDA=1 adds the wheel's GPU libraries; PEERS=1 makes .deps/peers, the Python programs that `make peers` compares with.
# SPDX-License-Identifier: Apache-2.0
set -euo pipefail
cd "$(dirname "$0")/.."
export LC_ALL=C PIP_DISABLE_PIP_VERSION_CHECK=1

packages=(
  g++ cmake ninja-build ccache pkg-config python3 python3-venv
  libjpeg-dev libpng-dev libwebp-dev zlib1g-dev libyaml-dev
  libtomlplusplus-dev libcli11-dev libfmt-dev libspdlog-dev nlohmann-json3-dev
  libgtest-dev libgmock-dev libbenchmark-dev
  dataset-fashion-mnist
)
torch=(torch==2.11.0)
torch_runtime=(nvidia-cuda-cupti==13.0.85 nvidia-cuda-runtime==13.0.96)  # libtorch_cpu.so is linked against these two
peers=(torch==2.11.0 torchvision==0.26.0 timm==1.0.31 pillow==13.0.0 safetensors tensorboard numpy)

say() { printf 'setup: %s\n' "$*"; }
stop() { printf 'setup: %s\n' "$*" >&2; exit 1; }

# ---- Debian packages ------------------------------------------------------------------------------------------------
command -v dpkg-query >/dev/null || stop "this is not a Debian system; install these with your package manager, then run \`make build\`: ${packages[*]}"
missing=()
for package in "${packages[@]}"; do
  [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
  as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || stop "not root and no sudo here; as root run: apt-get install ${missing[*]}"
    as_root=(sudo)
  fi
  say "installing from apt: ${missing[*]}"
  "${as_root[@]}" apt-get update -qq
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi
say "Debian packages: all ${#packages[@]} present"

# ---- LibTorch, and the peers ----------------------------------------------------------------------------------------
# into VENV WHAT PIP_ARGUMENTS…: installs unless the stamp says that exactly this was installed before.
into() {
  local venv=.deps/$1 what=$2 stamp=.deps/$1.installed
  shift 2
  if [ -x "$venv/bin/python" ] && [ "$(cat "$stamp" 2>/dev/null)" = "$*" ]; then
    say "$what: present in $venv"
    return
  fi
  say "$what: installing into $venv (some minutes on a slow line)"
  # Debian's own interpreter, whatever python3 comes first in PATH: the wheel must fit it.
  [ -x "$venv/bin/python" ] || /usr/bin/python3 -m venv "$venv"
  "$venv/bin/python" -m pip install --quiet --no-compile --progress-bar off "$@"
  printf '%s' "$*" >"$stamp"
}
mkdir -p .deps
if [ "${CUDA:-0}" = 1 ]; then
  into venv "LibTorch with CUDA" "${torch[@]}"
elif [ "$(cat .deps/venv.installed 2>/dev/null)" = "${torch[*]}" ]; then
  say "LibTorch with CUDA: present in .deps/venv"
else
  into venv "LibTorch" --no-deps "${torch[@]}" "${torch_runtime[@]}"
fi
if [ "${PEERS:-0}" = 1 ]; then
  into peers "Python peers" "${peers[@]}"
fi
