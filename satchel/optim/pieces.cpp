// Pieces of tensors, and the sums that norms are made of.
// SPDX-License-Identifier: Apache-2.0
#include "satchel/optim/pieces.h"

#include <algorithm>
#include <cmath>

#include "satchel/base/clones.h"

namespace satchel::optim {
namespace {

constexpr int64_t kLanes = 16;

template <class T>
SATCHEL_CLONES double squares(const T* __restrict x, int64_t n) {
  double sums[kLanes] = {};
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes)
    for (int64_t k = 0; k < kLanes; ++k) sums[k] += static_cast<double>(x[i + k]) * static_cast<double>(x[i + k]);
  for (; i < n; ++i) sums[0] += static_cast<double>(x[i]) * static_cast<double>(x[i]);
  double total = 0;
  for (const double sum : sums) total += sum;
  return total;
}

}  // namespace

std::vector<Piece> pieces_of(const std::vector<at::Tensor>& tensors) {
  std::vector<Piece> pieces;
  for (size_t i = 0; i < tensors.size(); ++i)
    for (int64_t begin = 0; begin < tensors[i].numel(); begin += kPiece)
      pieces.push_back({i, begin, std::min(begin + kPiece, tensors[i].numel())});
  return pieces;
}

double sum_of_squares(const float* x, int64_t n) { return squares(x, n); }
double sum_of_squares(const double* x, int64_t n) { return squares(x, n); }

std::vector<double> sums_of_squares(const std::vector<at::Tensor>& tensors, const std::vector<Piece>& pieces) {
  std::vector<double> sums(pieces.size());
  with_type(tensors, [&]<class T>(T) {
    for_pieces(pieces, [&](size_t p) { sums[p] = sum_of_squares(read<T>(tensors, pieces[p]), pieces[p].size()); });
  });
  return sums;
}

std::vector<double> norms_of(const std::vector<Piece>& pieces, const std::vector<double>& sums, size_t tensors) {
  std::vector<double> norms(tensors);
  for (size_t p = 0; p < pieces.size(); ++p) norms[pieces[p].tensor] += sums[p];
  for (double& norm : norms) norm = std::sqrt(norm);
  return norms;
}

}  // namespace satchel::optim
