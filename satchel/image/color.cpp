// Colour in float: operations that follow each other are one pass over the picture and are rounded once, so that 8 bits cost no more than
// half a grey level however many there are (1812.01187 §2.1 works on floats throughout).
// SPDX-License-Identifier: Apache-2.0
#include "satchel/image/color.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace satchel::image {
namespace {

// A pixel as r, g, b and a spare: the vector types of the compiler, which every machine has.
typedef float Pixel __attribute__((vector_size(16)));
typedef int32_t Lanes __attribute__((vector_size(16)));

constexpr int kBlock = 256;  // pixels that stay in the first cache from operation to operation

using Matrix = std::array<std::array<float, 4>, 3>;

Matrix product(const Matrix& second, const Matrix& first) {
  Matrix out{};
  for (size_t i = 0; i < 3; ++i) {
    for (size_t j = 0; j < 4; ++j)
      for (size_t k = 0; k < 3; ++k) out[i][j] += second[i][k] * first[k][j];
    out[i][3] += second[i][3];
  }
  return out;
}

Pixel column(const Matrix& m, size_t j) { return Pixel{m[0][j], m[1][j], m[2][j], 0}; }

Pixel clipped(Pixel v) {
  const Pixel low{0, 0, 0, 0}, high{255, 255, 255, 255};
  v = v < low ? low : v;
  return v > high ? high : v;
}

/// Hue in turns × factor + shift. The hexagon: the channel that is greatest, and how far the middle one lies between the other two.
void change_hue(Pixel& p, float factor, float shift) {
  const float r = p[0], g = p[1], b = p[2];
  const float high = std::max({r, g, b}), low = std::min({r, g, b}), chroma = high - low;
  if (chroma <= 0) return;
  float hue = r == high ? (g - b) / chroma : g == high ? 2 + (b - r) / chroma : 4 + (r - g) / chroma;
  hue = (hue < 0 ? hue + 6 : hue) / 6 * factor + shift;
  hue = (hue - std::floor(hue)) * 6;
  const auto channel = [&](float offset) {
    const float turned = offset + hue, k = turned < 6 ? turned : turned - 6;
    return high - chroma * std::max(0.0F, std::min({k, 4 - k, 1.0F}));
  };
  p = Pixel{channel(5), channel(3), channel(1), 0};
}

/// What is left once the means that contrasts need are known, neighbours that are both affine multiplied together.
struct Program {
  struct Step {
    bool affine = true, clip = false;
    Matrix matrix{};
    float factor = 1, shift = 0;
  };
  std::vector<Step> steps;

  void add(const Step& step) {
    if (step.affine && !steps.empty() && steps.back().affine && !steps.back().clip) {
      steps.back().matrix = product(step.matrix, steps.back().matrix);
      steps.back().clip = step.clip;
    } else {
      steps.push_back(step);
    }
  }
};

/// One picture and one program.
class Pass {
 public:
  explicit Pass(const Program& program) : program_(program) {
    static const Recolor kNothing;
    const bool table = !program.steps.empty() && program.steps[0].affine;
    first_ = table ? 1 : 0;
    clip_first_ = table && program.steps[0].clip;
    const Matrix& m = table ? program.steps[0].matrix : kNothing.matrix;
    const Pixel red = column(m, 0), green = column(m, 1), blue = column(m, 2), offset = column(m, 3);
    for (int v = 0; v < 256; ++v) {
      const auto level = static_cast<float>(v);
      red_[v] = red * level + offset, green_[v] = green * level, blue_[v] = blue * level;
    }
  }

  /// `count` pixels at `bytes` as the program leaves them.
  void run(const uint8_t* bytes, int count, Pixel* out) const {
    for (int i = 0; i < count; ++i, bytes += 3) out[i] = red_[bytes[0]] + green_[bytes[1]] + blue_[bytes[2]];
    if (clip_first_)
      for (int i = 0; i < count; ++i) out[i] = clipped(out[i]);
    for (size_t s = first_; s < program_.steps.size(); ++s) {
      const Program::Step& step = program_.steps[s];
      if (step.affine) {
        const Pixel red = column(step.matrix, 0), green = column(step.matrix, 1), blue = column(step.matrix, 2),
                    offset = column(step.matrix, 3);
        for (int i = 0; i < count; ++i) out[i] = red * out[i][0] + green * out[i][1] + blue * out[i][2] + offset;
      } else {
        for (int i = 0; i < count; ++i) change_hue(out[i], step.factor, step.shift);
      }
      if (step.clip)
        for (int i = 0; i < count; ++i) out[i] = clipped(out[i]);
    }
  }

 private:
  const Program& program_;
  size_t first_ = 0;
  bool clip_first_ = false;
  Pixel red_[256], green_[256], blue_[256];  // the first affine operation, a table for each byte
};

template <class Take>
void each_block(const Pass& pass, const uint8_t* rows, Size size, size_t stride, Take&& take) {
  Pixel block[kBlock];
  for (int y = 0; y < size.height; ++y) {
    const uint8_t* row = rows + static_cast<size_t>(y) * stride;
    for (int x = 0; x < size.width; x += kBlock) {
      const int count = std::min(kBlock, size.width - x);
      pass.run(row + static_cast<size_t>(x) * 3, count, block);
      take(x, y, block, count);
    }
  }
}

/// The mean grey of the picture as the program leaves it.
double mean_grey(const Program& program, const uint8_t* rows, Size size, size_t stride, const std::array<float, 3>& grey) {
  const Pass pass(program);
  std::array<double, 3> sums{};
  each_block(pass, rows, size, stride, [&](int, int, const Pixel* block, int count) {
    Pixel sum{};
    for (int i = 0; i < count; ++i) sum += block[i];
    for (size_t c = 0; c < 3; ++c) sums[c] += static_cast<double>(sum[c]);
  });
  return (sums[0] * grey[0] + sums[1] * grey[1] + sums[2] * grey[2]) / (static_cast<double>(size.width) * size.height);
}

Matrix diagonal(float factor, float offset) { return {{{factor, 0, 0, offset}, {0, factor, 0, offset}, {0, 0, factor, offset}}}; }

void write(const Pixel* block, int count, uint8_t* to) {
  // Adding 1.5·2²³ leaves a float's whole part, rounded half to even, in its lowest bits.
  const Pixel magic{12582912, 12582912, 12582912, 12582912};
  for (int i = 0; i < count; ++i, to += 3) {
    const Pixel shifted = clipped(block[i]) + magic;
    Lanes bits;
    std::memcpy(&bits, &shifted, sizeof bits);
    to[0] = static_cast<uint8_t>(bits[0]), to[1] = static_cast<uint8_t>(bits[1]), to[2] = static_cast<uint8_t>(bits[2]);
  }
}

}  // namespace

void recolor_rows(uint8_t* rows, Size size, size_t stride, const std::vector<Recolor>& operations) {
  Program program;
  for (const Recolor& op : operations) {
    Program::Step step{op.kind != Recolor::Kind::hue, op.clip, op.matrix, op.factor, op.shift};
    if (op.kind == Recolor::Kind::contrast) {
      const double mean = mean_grey(program, rows, size, stride, op.grey);
      step.matrix = diagonal(op.factor, static_cast<float>((1 - static_cast<double>(op.factor)) * mean));
    }
    program.add(step);
  }
  const Pass pass(program);
  each_block(pass, rows, size, stride, [&](int x, int y, const Pixel* block, int count) {
    write(block, count, rows + static_cast<size_t>(y) * stride + static_cast<size_t>(x) * 3);
  });
}

void recolor(Image& image, const std::vector<Recolor>& operations) {
  recolor_rows(image.pixels.data(), image.size, static_cast<size_t>(image.size.width) * 3, operations);
}

Recolor Recolor::brightness(double factor) {
  Recolor op;
  op.matrix = diagonal(static_cast<float>(factor), 0);
  return op;
}

Recolor Recolor::saturation(double factor, const std::array<float, 3>& grey) {
  Recolor op;
  for (size_t i = 0; i < 3; ++i)
    for (size_t j = 0; j < 3; ++j) op.matrix[i][j] = static_cast<float>((1 - factor) * grey[j] + (i == j ? factor : 0));
  return op;
}

Recolor Recolor::contrast(double factor, const std::array<float, 3>& grey) {
  Recolor op;
  op.kind = Kind::contrast, op.factor = static_cast<float>(factor), op.grey = grey;
  return op;
}

Recolor Recolor::hue(double factor, double shift) {
  Recolor op;
  op.kind = Kind::hue, op.factor = static_cast<float>(factor), op.shift = static_cast<float>(shift);
  return op;
}

Recolor Recolor::add(const std::array<double, 3>& rgb) {
  Recolor op;
  for (size_t i = 0; i < 3; ++i) op.matrix[i][3] = static_cast<float>(rgb[i]);
  return op;
}

// With T the matrix RGB → YIQ: T⁻¹ · (1 ⊕ rotation) · T.
Recolor Recolor::turn(double angle) {
  constexpr double t[3][3] = {{0.299, 0.587, 0.114}, {0.596, -0.274, -0.321}, {0.211, -0.523, 0.311}};
  double inverse[3][3];
  const auto cofactor = [&t](int i, int j) {
    const int a = (i + 1) % 3, b = (i + 2) % 3, c = (j + 1) % 3, d = (j + 2) % 3;
    return t[a][c] * t[b][d] - t[a][d] * t[b][c];
  };
  const double determinant = t[0][0] * cofactor(0, 0) + t[0][1] * cofactor(0, 1) + t[0][2] * cofactor(0, 2);
  for (int i = 0; i < 3; ++i)
    for (int j = 0; j < 3; ++j) inverse[j][i] = cofactor(i, j) / determinant;
  const double u = std::cos(angle), w = std::sin(angle);
  Recolor op;
  for (size_t i = 0; i < 3; ++i)
    for (size_t j = 0; j < 3; ++j)
      op.matrix[i][j] = static_cast<float>(inverse[i][0] * t[0][j] + inverse[i][1] * (u * t[1][j] - w * t[2][j]) +
                                           inverse[i][2] * (w * t[1][j] + u * t[2][j]));
  return op;
}

}  // namespace satchel::image
