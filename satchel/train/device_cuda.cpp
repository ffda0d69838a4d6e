// A GPU as a device: pinned memory, copies that do not block, memory figures. Nothing else in satchel names a stream or an event.
// SPDX-License-Identifier: Apache-2.0
#include <ATen/Context.h>
#include <ATen/core/CachingHostAllocator.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAFunctions.h>
#include <c10/cuda/CUDAStream.h>
#include <cuda_runtime_api.h>

#include <cstdlib>
#include <deque>
#include <vector>

#include "satchel/base/error.h"
#include "satchel/train/device.h"

namespace satchel::train {
namespace {

/// Page-locked memory of LibTorch's caching host allocator: the copy to the device runs beside the host.
class PinnedBuffer : public data::Buffer {
 public:
  explicit PinnedBuffer(size_t bytes) : memory_(at::getHostAllocator(at::kCUDA)->allocate(bytes)) {}
  uint8_t* data() override { return static_cast<uint8_t*>(memory_.get()); }

 private:
  at::DataPtr memory_;
};

void wanted(cudaError_t result) { check(result == cudaSuccess, Kind::machine, "the GPU failed: {}", cudaGetErrorString(result)); }

/// True once the device has come past the event. "Not yet" would stay behind as the last error, for the next launch to stumble over.
bool passed(cudaEvent_t event) {
  const cudaError_t result = cudaEventQuery(event);
  if (result == cudaErrorNotReady) {
    cudaGetLastError();
    return false;
  }
  wanted(result);
  return true;
}

/// Marks are events in the stream: the device stamps them as it comes by and the host reads the stamps later, so that nobody waits. What
/// passes between two marks is the device's time, an idle device included: waiting for data is what the device, not the host, waits.
class CudaClock : public StageClock {
 public:
  explicit CudaClock(int index) : index_(index) {}
  ~CudaClock() override {
    for (const Mark& mark : marks_) cudaEventDestroy(mark.event);
    for (cudaEvent_t event : spare_) cudaEventDestroy(event);
  }
  void enter(Stage stage) override {
    collect();
    Mark mark{stage, nullptr};
    if (spare_.empty()) {
      wanted(cudaEventCreate(&mark.event));
    } else {
      mark.event = spare_.back();
      spare_.pop_back();
    }
    wanted(cudaEventRecord(mark.event, c10::cuda::getCurrentCUDAStream(static_cast<c10::DeviceIndex>(index_)).stream()));
    marks_.push_back(mark);
  }
  StageTimes times() override {
    collect();
    return times_;
  }

 private:
  struct Mark {
    Stage stage;
    cudaEvent_t event;
  };
  void collect() {
    while (marks_.size() > 1 && passed(marks_[1].event)) {
      float milliseconds = 0;
      wanted(cudaEventElapsedTime(&milliseconds, marks_[0].event, marks_[1].event));
      times_[marks_[0].stage] += 1e-3 * milliseconds;
      spare_.push_back(marks_[0].event);
      marks_.pop_front();
    }
  }

  int index_;
  std::deque<Mark> marks_;
  std::vector<cudaEvent_t> spare_;
  StageTimes times_;
};

class CudaDevice : public Device {
 public:
  explicit CudaDevice(int index) : index_(index) { c10::cuda::set_device(static_cast<c10::DeviceIndex>(index)); }
  ~CudaDevice() override {
    for (Copy& copy : copies_) cudaEventDestroy(copy.passed);
  }

  at::Device torch() const override { return {at::kCUDA, static_cast<c10::DeviceIndex>(index_)}; }
  std::string description() const override {
    cudaDeviceProp properties{};
    cudaGetDeviceProperties(&properties, index_);
    return fmt::format("cuda:{}, {}", index_, properties.name);
  }
  data::Allocate allocate() const override {
    return [](size_t bytes) -> std::shared_ptr<data::Buffer> { return std::make_shared<PinnedBuffer>(bytes); };
  }
  at::Tensor upload(const data::Batch& batch) override {
    release_passed();
    const at::Tensor host = at::from_blob(batch.pixels->data(), {batch.count, batch.size.height, batch.size.width, 3}, at::kByte);
    at::Tensor out = at::empty(host.sizes(), host.options().device(torch()));
    const cudaStream_t stream = c10::cuda::getCurrentCUDAStream(static_cast<c10::DeviceIndex>(index_)).stream();
    wanted(cudaMemcpyAsync(out.data_ptr(), host.data_ptr(), host.nbytes(), cudaMemcpyHostToDevice, stream));
    Copy copy{batch.pixels, nullptr};
    wanted(cudaEventCreateWithFlags(&copy.passed, cudaEventDisableTiming));
    wanted(cudaEventRecord(copy.passed, stream));
    copies_.push_back(copy);
    return out;
  }
  std::unique_ptr<StageClock> stage_clock() const override { return std::make_unique<CudaClock>(index_); }
  void synchronize() override { wanted(cudaDeviceSynchronize()); }
  int64_t peak_memory_bytes() const override {
    const auto stats = c10::cuda::CUDACachingAllocator::getDeviceStats(static_cast<c10::DeviceIndex>(index_));
    return stats.reserved_bytes[0].peak;
  }
  void forget_peak_memory() override {
    synchronize();
    c10::cuda::CUDACachingAllocator::emptyCache();
    c10::cuda::CUDACachingAllocator::resetPeakStats(static_cast<c10::DeviceIndex>(index_));
  }

 private:
  struct Copy {
    std::shared_ptr<data::Buffer> pixels;
    cudaEvent_t passed;
  };

  /// Buffers go back to the loader once their copy has passed. The host may run so many batches ahead of the device and no more: each
  /// holds page-locked memory.
  void release_passed() {
    constexpr size_t kAhead = 8;
    if (copies_.size() >= kAhead) wanted(cudaEventSynchronize(copies_[copies_.size() - kAhead].passed));
    while (!copies_.empty() && passed(copies_.front().passed)) {
      cudaEventDestroy(copies_.front().passed);
      copies_.pop_front();
    }
  }

  int index_;
  std::deque<Copy> copies_;
};

}  // namespace

int cuda_devices(std::string* why) {
  int count = 0;
  const cudaError_t result = cudaGetDeviceCount(&count);
  if (result != cudaSuccess) count = 0;
  if (count == 0) *why = result == cudaSuccess ? "this machine has no GPU" : fmt::format("no GPU answers: {}", cudaGetErrorString(result));
  return count;
}

std::unique_ptr<Device> open_cuda(int index, const DeviceOptions& options) {
  at::Context& context = at::globalContext();
  context.lazyInitDevice(at::kCUDA);
  context.setBenchmarkCuDNN(!options.deterministic);
  context.setDeterministicCuDNN(options.deterministic);
  context.setAllowTF32CuDNN(options.tf32);
  context.setAllowTF32CuBLAS(options.tf32);
  // cuBLAS repeats its bytes only with a fixed workspace.
  if (options.deterministic) setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8", 0);
  return std::make_unique<CudaDevice>(index);
}

}  // namespace satchel::train
