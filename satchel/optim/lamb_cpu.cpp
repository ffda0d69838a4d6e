// LAMB on a CPU: operators would write every intermediate of the update to memory, and memory is what this step waits for.
// SPDX-License-Identifier: Apache-2.0
#include <ATen/ops/_foreach_norm.h>
#include <ATen/ops/full.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/stack.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "satchel/base/clones.h"
#include "satchel/optim/lamb.h"
#include "satchel/optim/pieces.h"

namespace satchel::optim {
namespace {

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

/// The arrays of one piece.
template <class T>
struct Arrays {
  int64_t n;
  T* weight;
  const T* gradient;
  T *exp_avg, *exp_avg_sq;
  Arrays(const LambTensors& t, const Piece& piece)
      : n(piece.size()),
        weight(written<T>(t.weights, piece)),
        gradient(read<T>(t.gradients, piece)),
        exp_avg(written<T>(t.exp_avg, piece)),
        exp_avg_sq(written<T>(t.exp_avg_sq, piece)) {}

  /// u of the piece, in `room`.
  const T* direction(std::array<T, kPiece>& room, const Numbers<T>& by) const {
    find_direction(exp_avg, exp_avg_sq, weight, room.data(), n, by);
    return room.data();
  }
};

/// ‖w‖/‖u‖ of each tensor; 1 where one of them is 0.
std::vector<double> trust_ratios(const std::vector<double>& w, const std::vector<double>& u, bool clip) {
  std::vector<double> ratios(w.size(), 1);
  for (size_t i = 0; i < ratios.size(); ++i) {
    if (w[i] > 0 && u[i] > 0) ratios[i] = w[i] / u[i];
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
    w[p] = sum_of_squares(a.weight, a.n);
    u[p] = sum_of_squares(a.direction(room, by), a.n);
  });
  if (!update.adapt) return;
  const size_t n = tensors.weights.size();
  const std::vector<double> ratios = trust_ratios(norms_of(pieces, w, n), norms_of(pieces, u, n), update.trust_clip);
  for_pieces(pieces, [&](size_t p) {
    const Arrays<T> a(tensors, pieces[p]);
    std::array<T, kPiece> room;
    descend(a.weight, a.direction(room, by), a.n, static_cast<T>(update.lr * ratios[pieces[p].tensor]));
  });
}

}  // namespace

at::Tensor gradient_norm(const std::vector<at::Tensor>& gradients) {
  if (!gradients[0].is_cpu()) return at::linalg_vector_norm(at::stack(at::_foreach_norm(gradients)));
  const std::vector<double> sums = sums_of_squares(gradients, pieces_of(gradients));
  const double total = std::accumulate(sums.begin(), sums.end(), 0.0);
  return at::full({}, std::sqrt(total), gradients[0].options());
}

void lamb_update_cpu(const LambTensors& tensors, const LambUpdate& update, double gradient_divisor) {
  with_type(tensors.weights, [&]<class T>(T) { run<T>(tensors, update, gradient_divisor); });
}

}  // namespace satchel::optim
