// The device side of the ops: kernels/cuda/*.cu in a CUDA build, none.cpp otherwise. False: not done.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "satchel/kernels/kernels.h"

namespace satchel::kernels::cuda {

bool normalize(const Normalize& op);

}  // namespace satchel::kernels::cuda
