// RMSprop on a CPU, piece by piece.
// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "satchel/base/clones.h"
#include "satchel/optim/pieces.h"
#include "satchel/optim/rmsprop_tf.h"

namespace satchel::optim {
namespace {

/// Numbers of an update in the tensors' own type: the momentum takes in `inside` times the direction, weights lose `outside` times it.
template <class T>
struct Numbers {
  T rest, eps, momentum, decay, inside, outside;
  explicit Numbers(const RmspropUpdate& update)
      : rest(static_cast<T>(1 - update.alpha)),
        eps(static_cast<T>(update.eps)),
        momentum(static_cast<T>(update.momentum)),
        decay(static_cast<T>(update.weight_decay)),
        inside(static_cast<T>(update.lr_in_momentum ? update.lr : 1)),
        outside(static_cast<T>(update.lr_in_momentum ? 1 : update.lr)) {}
};

template <class T>
SATCHEL_CLONES void plain_step(const T* __restrict g, T* __restrict s, T* __restrict w, int64_t n, const Numbers<T>& by, T lr) {
  for (int64_t i = 0; i < n; ++i) {
    const T d = g[i] + by.decay * w[i];
    s[i] += by.rest * (d * d - s[i]);
    w[i] -= lr * d / std::sqrt(s[i] + by.eps);
  }
}

template <class T>
SATCHEL_CLONES void momentum_step(const T* __restrict g, T* __restrict s, T* __restrict m, T* __restrict w, int64_t n,
                                  const Numbers<T>& by) {
  for (int64_t i = 0; i < n; ++i) {
    const T d = g[i] + by.decay * w[i];
    s[i] += by.rest * (d * d - s[i]);
    m[i] = by.momentum * m[i] + by.inside * d / std::sqrt(s[i] + by.eps);
    w[i] -= by.outside * m[i];
  }
}

}  // namespace

void rmsprop_update_cpu(const RmspropTensors& tensors, const RmspropUpdate& update) {
  const std::vector<Piece> pieces = pieces_of(tensors.weights);
  with_type(tensors.weights, [&]<class T>(T) {
    const Numbers<T> by(update);
    for_pieces(pieces, [&](size_t p) {
      const Piece& piece = pieces[p];
      const T* gradient = read<T>(tensors.gradients, piece);
      T* square = written<T>(tensors.square_avg, piece);
      T* weight = written<T>(tensors.weights, piece);
      if (tensors.momentum.empty()) return plain_step(gradient, square, weight, piece.size(), by, static_cast<T>(update.lr));
      momentum_step(gradient, square, written<T>(tensors.momentum, piece), weight, piece.size(), by);
    });
  });
}

}  // namespace satchel::optim
