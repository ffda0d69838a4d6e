// Where the network computes: memory for batches, the way onto the device, memory figures. Streams, events and pinned memory appear
// in device_cuda.cpp alone.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include <memory>
#include <string>

#include "satchel/data/data.h"
#include "satchel/train/stages.h"

namespace satchel::train {

class Device {
 public:
  virtual ~Device() = default;
  virtual at::Device torch() const = 0;
  /// "CPU, 2 threads" or "cuda:0, NVIDIA H100".
  virtual std::string description() const = 0;
  /// Memory for batches: pinned where that speeds up the copy.
  virtual data::Allocate allocate() const { return data::allocate_plain; }
  /// The batch's bytes [N,H,W,3] on the device. The copy does not block; the buffer is kept until it has passed.
  virtual at::Tensor upload(const data::Batch& batch) = 0;
  /// Waits until everything queued has run (for timing and before saving).
  virtual void synchronize() {}
  /// A clock for what runs on this device; it must not outlive it.
  virtual std::unique_ptr<StageClock> stage_clock() const { return std::make_unique<HostClock>(); }
  /// Most memory that was in use at once: resident set on a CPU, reserved by the allocator on a GPU.
  virtual int64_t peak_memory_bytes() const = 0;
  /// Gives back what is kept for reuse and counts the peak anew. On a system that does not let a process do so the old peak stands.
  virtual void forget_peak_memory() = 0;
};

struct DeviceOptions {
  std::string wanted = "auto";  // auto | cpu | cuda | cuda:N
  bool deterministic = false;
  bool tf32 = false;
};
/// Logs what auto chose and why. Throws Error(usage) for an unknown name or a build without CUDA, Error(machine) when no GPU answers.
std::unique_ptr<Device> open_device(const DeviceOptions& options);

/// Number of GPUs that answer, and why there is none ("this build has no CUDA", the driver's words).
int cuda_devices(std::string* why);
std::unique_ptr<Device> open_cuda(int index, const DeviceOptions& options);

}  // namespace satchel::train
