// The CUDA half of device.h in a build without CUDA.
// SPDX-License-Identifier: Apache-2.0
#include "satchel/base/error.h"
#include "satchel/train/device.h"

namespace satchel::train {

int cuda_devices(std::string* why) {
  *why = "this build has no CUDA (build with `make build CUDA=1`)";
  return 0;
}

std::unique_ptr<Device> open_cuda(int, const DeviceOptions&) { fail(Kind::usage, "this build has no CUDA"); }

}  // namespace satchel::train
