// The CPU as a device, and the choice between it and a GPU.
// SPDX-License-Identifier: Apache-2.0
#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/ops/from_blob.h>
#include <malloc.h>

#include <charconv>
#include <cstdlib>
#include <fstream>
#include <string>

#include "satchel/base/error.h"
#include "satchel/base/log.h"
#include "satchel/base/text.h"
#include "satchel/train/device.h"
#include "satchel/train/train.h"

namespace satchel::train {
namespace {

class CpuDevice : public Device {
 public:
  at::Device torch() const override { return at::kCPU; }
  std::string description() const override { return "CPU, " + counted(at::get_num_threads(), "thread"); }
  at::Tensor upload(const data::Batch& batch) override {
    const auto keep = batch.pixels;
    return at::from_blob(
        keep->data(), {batch.count, batch.size.height, batch.size.width, 3}, [keep](void*) {}, at::kByte);
  }
  /// Of this program alone: what getrusage says began with the process that started it.
  int64_t peak_memory_bytes() const override {
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);)
      if (line.starts_with("VmHWM:")) return std::strtoll(line.c_str() + 6, nullptr, 10) * 1024;
    return 0;
  }
  void forget_peak_memory() override {
    malloc_trim(0);
    std::ofstream("/proc/self/clear_refs") << "5";  // proc(5): the peak becomes what is resident now
  }
};

}  // namespace

bool means_cpu(const std::string& device) {
  std::string why;
  return device == "cpu" || (device == "auto" && cuda_devices(&why) == 0);
}

std::unique_ptr<Device> open_device(const DeviceOptions& options) {
  const std::string& wanted = options.wanted;
  if (options.deterministic) at::globalContext().setDeterministicAlgorithms(true, false);
  if (wanted == "cpu") return std::make_unique<CpuDevice>();
  std::string why;
  if (wanted == "auto") {
    const int found = cuda_devices(&why);
    log::info("device: {} ({})", found ? "cuda:0" : "cpu", found ? counted(found, "GPU") + " found" : why);
    return found ? open_cuda(0, options) : std::make_unique<CpuDevice>();
  }
  int index = 0;
  const bool numbered = wanted.rfind("cuda:", 0) == 0;
  const char* end = wanted.data() + wanted.size();
  const bool number_ok = numbered && std::from_chars(wanted.data() + 5, end, index).ptr == end && wanted.size() > 5;
  check(wanted == "cuda" || number_ok, Kind::usage, "--device {}: unknown; give auto, cpu, cuda or cuda:N", wanted);
  const int found = cuda_devices(&why);
  check(found > 0, Kind::machine, "--device {}: {}; use --device cpu", wanted, why);
  check(index < found, Kind::machine, "--device {}: only {} found (cuda:0…cuda:{})", wanted, counted(found, "GPU"), found - 1);
  return open_cuda(index, options);
}

}  // namespace satchel::train
