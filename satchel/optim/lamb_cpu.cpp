// LAMB on a CPU: operators would write every intermediate of the update to memory, and memory is what this step waits for.
// Sums are taken in pieces of fixed length and fixed lanes, in order: the same bytes for any number of threads and on every machine.
// SPDX-License-Identifier: Apache-2.0
#include <ATen/Parallel.h>
#include <ATen/ops/_foreach_norm.h>
#include <ATen/ops/full.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/stack.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "satchel/base/clones.h"
#include "satchel/optim/lamb.h"

namespace satchel::optim {
namespace {

constexpr int64_t kPiece = 4096;  // elements: five arrays of them fit a core's cache
constexpr int64_t kLanes = 16;

struct Piece {
  size_t tensor;
  int64_t begin, end;
};

std::vector<Piece> pieces_of(const std::vector<at::Tensor>& tensors) {
  std::vector<Piece> pieces;
  for (size_t i = 0; i < tensors.size(); ++i)
    for (int64_t begin = 0; begin < tensors[i].numel(); begin += kPiece)
      pieces.push_back({i, begin, std::min(begin + kPiece, tensors[i].numel())});
  return pieces;
}

void for_pieces(const std::vector<Piece>& pieces, const auto& act) {
  at::parallel_for(0, static_cast<int64_t>(pieces.size()), 1, [&](int64_t from, int64_t to) {
    for (int64_t i = from; i < to; ++i) act(static_cast<size_t>(i));
  });
}

/// Numbers of an update in the tensors' own type; gradients are divided by `divisor` first.
template <class T>
struct Numbers {
  T beta1, rest1, beta2, rest2, correction1, correction2, eps, decay, divisor;
  Numbers(const LambUpdate& update, double gradient_divisor)
      : beta1(static_cast<T>(update.beta1)),
        rest1(static_cast<T>(1 - update.beta1)),
        beta2(static_cast<T>(update.beta2)),
        rest2(static_cast<T>(1 - update.beta2)),
        correction1(static_cast<T>(update.correction1)),
        correction2(static_cast<T>(update.correction2)),
        eps(static_cast<T>(update.eps)),
        decay(static_cast<T>(update.weight_decay)),
        divisor(static_cast<T>(gradient_divisor)) {}
};

template <class T>
SATCHEL_CLONES void update_moments(const T* __restrict g, T* __restrict m, T* __restrict v, int64_t n, const Numbers<T>& by) {
  for (int64_t i = 0; i < n; ++i) {
    const T scaled = g[i] / by.divisor;
    m[i] = by.beta1 * m[i] + by.rest1 * scaled;
    v[i] = by.beta2 * v[i] + by.rest2 * scaled * scaled;
  }
}

template <class T>
SATCHEL_CLONES void find_direction(const T* __restrict m, const T* __restrict v, const T* __restrict w, T* __restrict u, int64_t n,
                                   const Numbers<T>& by) {
  for (int64_t i = 0; i < n; ++i) u[i] = m[i] / by.correction1 / (std::sqrt(v[i]) / by.correction2 + by.eps) + by.decay * w[i];
}

template <class T>
SATCHEL_CLONES void descend(T* __restrict w, const T* __restrict u, int64_t n, T rate) {
  for (int64_t i = 0; i < n; ++i) w[i] -= rate * u[i];
}

template <class T>
SATCHEL_CLONES double sum_of_squares(const T* __restrict x, int64_t n) {
  double sums[kLanes] = {};
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes)
    for (int64_t k = 0; k < kLanes; ++k) sums[k] += static_cast<double>(x[i + k]) * static_cast<double>(x[i + k]);
  for (; i < n; ++i) sums[0] += static_cast<double>(x[i]) * static_cast<double>(x[i]);
  double total = 0;
  for (const double sum : sums) total += sum;
  return total;
}

/// The arrays of one piece.
template <class T>
struct Arrays {
  int64_t n;
  T* weight;
  const T* gradient;
  T *exp_avg, *exp_avg_sq;
  Arrays(const LambTensors& t, const Piece& piece)
      : n(piece.end - piece.begin),
        weight(t.weights[piece.tensor].mutable_data_ptr<T>() + piece.begin),
        gradient(t.gradients[piece.tensor].const_data_ptr<T>() + piece.begin),
        exp_avg(t.exp_avg[piece.tensor].mutable_data_ptr<T>() + piece.begin),
        exp_avg_sq(t.exp_avg_sq[piece.tensor].mutable_data_ptr<T>() + piece.begin) {}

  /// u of the piece, in `room`.
  const T* direction(std::array<T, kPiece>& room, const Numbers<T>& by) const {
    find_direction(exp_avg, exp_avg_sq, weight, room.data(), n, by);
    return room.data();
  }
};

/// ‖w‖/‖u‖ of each tensor from the sums of squares of its pieces.
std::vector<double> trust_ratios(const std::vector<Piece>& pieces, const std::vector<double>& w, const std::vector<double>& u,
                                 size_t tensors, bool clip) {
  std::vector<double> w_sum(tensors), u_sum(tensors), ratios(tensors, 1);
  for (size_t p = 0; p < pieces.size(); ++p) w_sum[pieces[p].tensor] += w[p], u_sum[pieces[p].tensor] += u[p];
  for (size_t i = 0; i < tensors; ++i) {
    if (w_sum[i] > 0 && u_sum[i] > 0) ratios[i] = std::sqrt(w_sum[i]) / std::sqrt(u_sum[i]);
    if (clip) ratios[i] = std::min(ratios[i], 1.0);
  }
  return ratios;
}

template <class T>
void run(const LambTensors& tensors, const LambUpdate& update, double gradient_divisor) {
  const std::vector<Piece> pieces = pieces_of(tensors.weights);
  const Numbers<T> by(update, gradient_divisor);
  std::vector<double> w(pieces.size()), u(pieces.size());
  for_pieces(pieces, [&](size_t p) {
    const Arrays<T> a(tensors, pieces[p]);
    std::array<T, kPiece> room;
    update_moments(a.gradient, a.exp_avg, a.exp_avg_sq, a.n, by);
    if (!update.adapt) return descend(a.weight, a.direction(room, by), a.n, static_cast<T>(update.lr));
    w[p] = sum_of_squares<T>(a.weight, a.n);
    u[p] = sum_of_squares(a.direction(room, by), a.n);
  });
  if (!update.adapt) return;
  const std::vector<double> ratios = trust_ratios(pieces, w, u, tensors.weights.size(), update.trust_clip);
  for_pieces(pieces, [&](size_t p) {
    const Arrays<T> a(tensors, pieces[p]);
    std::array<T, kPiece> room;
    descend(a.weight, a.direction(room, by), a.n, static_cast<T>(update.lr * ratios[pieces[p].tensor]));
  });
}

template <class T>
double sum_of_squares(const std::vector<at::Tensor>& tensors) {
  const std::vector<Piece> pieces = pieces_of(tensors);
  std::vector<double> sums(pieces.size());
  for_pieces(pieces, [&](size_t p) {
    const auto [tensor, begin, end] = pieces[p];
    sums[p] = sum_of_squares(tensors[tensor].const_data_ptr<T>() + begin, end - begin);
  });
  double total = 0;
  for (const double sum : sums) total += sum;
  return total;
}

}  // namespace

at::Tensor gradient_norm(const std::vector<at::Tensor>& gradients) {
  if (!gradients[0].is_cpu()) return at::linalg_vector_norm(at::stack(at::_foreach_norm(gradients)));
  const double total = gradients[0].scalar_type() == at::kDouble ? sum_of_squares<double>(gradients) : sum_of_squares<float>(gradients);
  return at::full({}, std::sqrt(total), gradients[0].options());
}

void lamb_update_cpu(const LambTensors& tensors, const LambUpdate& update, double gradient_divisor) {
  if (tensors.weights[0].scalar_type() == at::kDouble)
    run<double>(tensors, update, gradient_divisor);
  else
    run<float>(tensors, update, gradient_divisor);
}

}  // namespace satchel::optim
