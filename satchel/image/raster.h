// Rows of pixels that belong to somebody else, and memory that is kept from picture to picture. Inside satchel/image only.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>

#include "satchel/image/image.h"

namespace satchel::image {

/// 8-bit RGB rows, `stride` bytes apart. Owns nothing.
struct View {
  const uint8_t* data = nullptr;
  size_t stride = 0;
  Size size;

  const uint8_t* row(int y) const { return data + static_cast<size_t>(y) * stride; }
  View part(Box box) const { return {row(box.y) + static_cast<size_t>(box.x) * 3, stride, box.size()}; }
};

inline View view_of(const Image& image) { return {image.pixels.data(), static_cast<size_t>(image.size.width) * 3, image.size}; }

/// Memory without initial values that grows and stays, so that a worker faults its pages in once. kSlack readable bytes follow.
class Scratch {
 public:
  static constexpr size_t kSlack = 64;
  static constexpr size_t kKeep = size_t{96} << 20;

  Scratch() = default;
  ~Scratch() { std::free(data_); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  /// At least `bytes` bytes; what was there is lost.
  uint8_t* get(size_t bytes) {
    if (bytes > capacity_ || (capacity_ > kKeep && bytes < kKeep)) {
      std::free(data_);
      capacity_ = 0;
      data_ = static_cast<uint8_t*>(std::malloc(bytes + kSlack));
      if (!data_) throw std::bad_alloc();
      capacity_ = bytes;
    }
    return data_;
  }
  /// At least `bytes` bytes; what was there stays. For what a damaged file may never fill.
  uint8_t* grow(size_t bytes) {
    if (bytes <= capacity_) return data_;
    bytes = bytes + bytes / 2;
    void* larger = std::realloc(data_, bytes + kSlack);
    if (!larger) throw std::bad_alloc();
    data_ = static_cast<uint8_t*>(larger);
    capacity_ = bytes;
    return data_;
  }

 private:
  uint8_t* data_ = nullptr;
  size_t capacity_ = 0;
};

}  // namespace satchel::image
