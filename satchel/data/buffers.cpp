// A pool of buffers whose pointers return them, unless the pool went first.
// SPDX-License-Identifier: Apache-2.0
#include "satchel/data/buffers.h"

#include <utility>

namespace satchel::data {
namespace {

class PlainBuffer : public Buffer {
 public:
  explicit PlainBuffer(size_t bytes) : bytes_(std::make_unique_for_overwrite<uint8_t[]>(bytes)) {}
  uint8_t* data() override { return bytes_.get(); }

 private:
  std::unique_ptr<uint8_t[]> bytes_;
};

}  // namespace

std::shared_ptr<Buffer> allocate_plain(size_t bytes) { return std::make_shared<PlainBuffer>(bytes); }

std::shared_ptr<Buffers> Buffers::make(Allocate allocate, size_t bytes, size_t keep) {
  return std::shared_ptr<Buffers>(new Buffers(std::move(allocate), bytes, keep));
}

std::shared_ptr<Buffer> Buffers::lend() {
  std::shared_ptr<Buffer> buffer;
  {
    std::lock_guard lock(mutex_);
    if (!idle_.empty()) buffer = std::move(idle_.back()), idle_.pop_back();
  }
  if (!buffer) buffer = allocate_(bytes_);
  Buffer* const raw = buffer.get();
  return {raw, [home = weak_from_this(), owner = std::move(buffer)](Buffer*) mutable {
            if (const auto pool = home.lock()) pool->take_back(std::move(owner));
            owner.reset();
          }};
}

void Buffers::take_back(std::shared_ptr<Buffer> buffer) {
  std::lock_guard lock(mutex_);
  if (idle_.size() < keep_) idle_.push_back(std::move(buffer));
}

}  // namespace satchel::data
