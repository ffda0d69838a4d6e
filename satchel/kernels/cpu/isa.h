// Which instructions this machine has; clones.h compiles a loop once per instruction set.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "satchel/base/clones.h"

namespace satchel::kernels {

/// Found at run time, never presumed.
struct Isa {
  bool avx2 = false;         // with FMA
  bool avx512 = false;       // F, BW, DQ, VL
  bool avx512_bf16 = false;  // vdpbf16ps: slower than fp32 FMA on some hosts
  bool amx_bf16 = false;
};
const Isa& isa();

}  // namespace satchel::kernels
