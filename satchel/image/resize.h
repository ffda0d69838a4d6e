// A resize split into plan and run, so that a Picture can ask which source pixels it needs before decoding them. Inside satchel/image only.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <vector>

#include "satchel/image/image.h"
#include "satchel/image/raster.h"
#include "satchel/image/resize_kernels.h"

namespace satchel::image {

/// PIL.Image.resize of an image of size `in` to `target` out of `box` (inside the image), of which only `window` is produced.
class ResizePlan {
 public:
  ResizePlan(Size in, Size target, Interpolation interpolation, Box box, Box window);

  /// The source pixels that have a say.
  Box source() const { return source_; }
  /// `pixels` shows exactly source(). Writes window.height rows of window.width RGB pixels, `stride` bytes apart.
  void run(View pixels, uint8_t* out, size_t stride) const;
  /// The same by the kernels given: for the test that all give equal bytes.
  void run(View pixels, uint8_t* out, size_t stride, const ResizeKernels& kernels) const;

 private:
  void run_nearest(View pixels, uint8_t* out, size_t stride) const;

  Size window_;
  Box source_;
  bool vertical_first_ = false;
  std::shared_ptr<const ResizeAxis> horizontal_, vertical_;  // null: this pass is not needed
  std::vector<int> columns_, rows_;                          // nearest: source index of each pixel, -1 black
  bool nearest_ = false;
};

}  // namespace satchel::image
