// LARS on a CPU, piece by piece.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "satchel/base/clones.h"
#include "satchel/optim/lars.h"
#include "satchel/optim/pieces.h"

namespace satchel::optim {
namespace {

/// Numbers of an update of one tensor in its own type.
template <class T>
struct Numbers {
  T lr, momentum, decay, ratio;
  Numbers(const LarsUpdate& update, double trust_ratio)
      : lr(static_cast<T>(update.lr)),
        momentum(static_cast<T>(update.momentum)),
        decay(static_cast<T>(update.adapt ? update.weight_decay : 0)),
        ratio(static_cast<T>(trust_ratio)) {}
};

template <class T>
SATCHEL_CLONES void plain_step(const T* __restrict g, T* __restrict w, int64_t n, const Numbers<T>& by) {
  for (int64_t i = 0; i < n; ++i) w[i] -= by.lr * (by.ratio * (g[i] + by.decay * w[i]));
}

template <class T>
SATCHEL_CLONES void momentum_step(const T* __restrict g, T* __restrict m, T* __restrict w, int64_t n, const Numbers<T>& by) {
  for (int64_t i = 0; i < n; ++i) {
    m[i] = by.momentum * m[i] + by.ratio * (g[i] + by.decay * w[i]);
    w[i] -= by.lr * m[i];
  }
}

template <class T>
SATCHEL_CLONES void nesterov_step(const T* __restrict g, T* __restrict m, T* __restrict w, int64_t n, const Numbers<T>& by) {
  for (int64_t i = 0; i < n; ++i) {
    const T d = by.ratio * (g[i] + by.decay * w[i]);
    m[i] = by.momentum * m[i] + d;
    w[i] -= by.lr * (d + by.momentum * m[i]);
  }
}

/// q of lars.cpp for each tensor.
std::vector<double> trust_ratios(const LarsTensors& tensors, const LarsUpdate& update, const std::vector<Piece>& pieces) {
  std::vector<double> ratios(tensors.weights.size(), 1);
  if (!update.adapt) return ratios;
  const auto norms = [&](const std::vector<at::Tensor>& of) { return norms_of(pieces, sums_of_squares(of, pieces), of.size()); };
  const std::vector<double> w = norms(tensors.weights), g = norms(tensors.gradients);
  for (size_t i = 0; i < ratios.size(); ++i) {
    if (w[i] > 0 && g[i] > 0) ratios[i] = update.trust_coeff * w[i] / (g[i] + w[i] * update.weight_decay + update.eps);
    if (update.trust_clip) ratios[i] = std::min(ratios[i] / update.lr, 1.0);
  }
  return ratios;
}

}  // namespace

void lars_update_cpu(const LarsTensors& tensors, const LarsUpdate& update) {
  const std::vector<Piece> pieces = pieces_of(tensors.weights);
  const std::vector<double> ratios = trust_ratios(tensors, update, pieces);
  with_type(tensors.weights, [&]<class T>(T) {
    for_pieces(pieces, [&](size_t p) {
      const Piece& piece = pieces[p];
      const Numbers<T> by(update, ratios[piece.tensor]);
      const T* gradient = read<T>(tensors.gradients, piece);
      T* weight = written<T>(tensors.weights, piece);
      if (tensors.momentum.empty()) return plain_step(gradient, weight, piece.size(), by);
      (update.nesterov ? nesterov_step<T> : momentum_step<T>)(gradient, written<T>(tensors.momentum, piece), weight, piece.size(), by);
    });
  });
}

}  // namespace satchel::optim
