// Memory of CPU tensors that is reused from step to step: a step asks for the same blocks as the one before it, so no page is faulted in
// twice. LibTorch's allocator gives big blocks back to the system each time and pays for their pages anew.
// SPDX-License-Identifier: Apache-2.0
#include <c10/core/CPUAllocator.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <mutex>

#include "satchel/base/error.h"
#include "satchel/nn/nn.h"

namespace satchel::nn {
namespace {

constexpr size_t kAlignment = 64;         // of every block, as LibTorch's: vector loads and repeatable sums of MKL rely on it
constexpr size_t kLarge = 1 << 20;        // smaller blocks come from malloc, which keeps them itself
constexpr size_t kPage = 2 << 20;         // large blocks are whole huge pages
constexpr uint64_t kForgotten = 1 << 15;  // a free block that so many requests for large blocks passed by goes back to the system

struct Block {
  void* base;
  uint64_t freed_at;
};

/// Stands right before each block of memory.
struct alignas(kAlignment) Header {
  void* base;
  size_t size;  // bytes mapped at base; 0: from malloc
};

class Pool {
 public:
  static Pool& one() {
    static Pool* pool = new Pool;  // never destroyed: tensors of static life return their blocks late
    return *pool;
  }

  void* take(size_t bytes) {
    if (bytes + sizeof(Header) < kLarge) {
      void* base = nullptr;
      if (posix_memalign(&base, kAlignment, bytes + sizeof(Header)) != 0) out_of_memory(bytes);
      return behind(base, 0, sizeof(Header));
    }
    // Blocks that start at the same place of a page fight for the same lines of the cache: each starts a little further on.
    const std::lock_guard lock(mutex_);
    const size_t offset = sizeof(Header) + (++requests_ % 8) * 4 * kAlignment;
    const size_t size = (bytes + offset + kPage - 1) / kPage * kPage;
    // The smallest that fits, unless more than a quarter of it would lie idle.
    const auto found = free_.lower_bound(size);
    if (found != free_.end() && found->first <= size + std::max(size / 4, kPage)) {
      const auto [had, block] = *found;
      free_.erase(found);
      return behind(block.base, had, offset);
    }
    release(requests_ > kForgotten ? requests_ - kForgotten : 0);
    return behind(map(size, bytes), size, offset);
  }

  void give(void* memory) {
    const Header header = *(static_cast<Header*>(memory) - 1);
    if (header.size == 0) return std::free(header.base);
    const std::lock_guard lock(mutex_);
    free_.emplace(header.size, Block{header.base, requests_});
  }

 private:
  static void* behind(void* base, size_t size, size_t offset) {
    char* memory = static_cast<char*>(base) + offset;
    *(reinterpret_cast<Header*>(memory) - 1) = {base, size};
    return memory;
  }

  [[noreturn]] static void out_of_memory(size_t bytes) {
    fail(Kind::machine, "out of memory: {:.1f} MB for a tensor are not to be had; use a smaller --batch-size or --img-size", bytes / 1e6);
  }

  void* map(size_t size, size_t bytes) {
    void* base = mmap(nullptr, size + kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (base == MAP_FAILED) {
      release(requests_);
      base = mmap(nullptr, size + kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
      if (base == MAP_FAILED) out_of_memory(bytes);
    }
    // Cut to whole huge pages.
    const size_t start = reinterpret_cast<size_t>(base), aligned = (start + kPage - 1) / kPage * kPage;
    if (aligned > start) munmap(base, aligned - start);
    if (const size_t tail = start + kPage - aligned) munmap(reinterpret_cast<void*>(aligned + size), tail);
    base = reinterpret_cast<void*>(aligned);
    madvise(base, size, MADV_HUGEPAGE);
    return base;
  }

  /// Gives back the blocks freed before request number `before`.
  void release(uint64_t before) {
    for (auto each = free_.begin(); each != free_.end();) {
      if (each->second.freed_at > before) {
        ++each;
        continue;
      }
      munmap(each->second.base, each->first);
      each = free_.erase(each);
    }
  }

  std::mutex mutex_;
  std::multimap<size_t, Block> free_;  // by size
  uint64_t requests_ = 0;
};

class Allocator : public c10::Allocator {
 public:
  c10::DataPtr allocate(size_t bytes) override {
    if (bytes == 0) return {nullptr, nullptr, &Allocator::give, at::Device(at::kCPU)};
    void* memory = Pool::one().take(bytes);
    return {memory, memory, &Allocator::give, at::Device(at::kCPU)};
  }
  c10::DeleterFnPtr raw_deleter() const override { return &Allocator::give; }
  void copy_data(void* to, const void* from, size_t bytes) const override { default_copy_data(to, from, bytes); }

 private:
  static void give(void* memory) {
    if (memory) Pool::one().give(memory);
  }
};

}  // namespace

void reuse_memory() {
  static Allocator allocator;
  if (c10::GetCPUAllocator() != &allocator) c10::SetCPUAllocator(&allocator, 1);
}

}  // namespace satchel::nn
