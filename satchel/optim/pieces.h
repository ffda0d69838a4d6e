// The walk of an optimizer over its tensors on a CPU: every loop of an update runs over one piece, which a core's cache holds, before the
// next is touched. Pieces have a fixed length and sums fixed lanes, in order: the same bytes for any number of threads, on every machine.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>

#include <vector>

namespace satchel::optim {

constexpr int64_t kPiece = 4096;  // elements: five arrays of them fit a core's cache

/// A run of elements of one tensor in a list.
struct Piece {
  size_t tensor;
  int64_t begin, end;
  int64_t size() const { return end - begin; }
};

std::vector<Piece> pieces_of(const std::vector<at::Tensor>& tensors);

/// act(i) for the place of every piece, on all compute threads.
void for_pieces(const std::vector<Piece>& pieces, const auto& act) {
  at::parallel_for(0, static_cast<int64_t>(pieces.size()), 1, [&](int64_t from, int64_t to) {
    for (int64_t i = from; i < to; ++i) act(static_cast<size_t>(i));
  });
}

/// Where a piece begins in a list of tensors with elements of type T.
template <class T>
T* written(const std::vector<at::Tensor>& tensors, const Piece& piece) {
  return tensors[piece.tensor].mutable_data_ptr<T>() + piece.begin;
}
template <class T>
const T* read(const std::vector<at::Tensor>& tensors, const Piece& piece) {
  return tensors[piece.tensor].const_data_ptr<T>() + piece.begin;
}

/// act(T()) with T the type of the tensors' elements, float or double.
void with_type(const std::vector<at::Tensor>& tensors, const auto& act) {
  if (tensors[0].scalar_type() == at::kDouble)
    act(double{});
  else
    act(float{});
}

/// ∑x² of n elements, in double.
double sum_of_squares(const float* x, int64_t n);
double sum_of_squares(const double* x, int64_t n);
/// The same of every piece of `tensors`.
std::vector<double> sums_of_squares(const std::vector<at::Tensor>& tensors, const std::vector<Piece>& pieces);
/// ‖x‖₂ of each of `tensors` tensors from the sums of their pieces.
std::vector<double> norms_of(const std::vector<Piece>& pieces, const std::vector<double>& sums, size_t tensors);

}  // namespace satchel::optim
