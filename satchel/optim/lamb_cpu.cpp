// LAMB on a CPU: operators would write every intermediate of the update to memory, and memory is what this step waits for.
// Sums are taken in pieces of fixed length, in order: the same bytes for any number of threads.
// SPDX-License-Identifier: Apache-2.0
#include <ATen/Parallel.h>
#include <ATen/ops/_foreach_norm.h>
#include <ATen/ops/full.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/stack.h>

#include <algorithm>
#include <cmath>

#include "satchel/optim/lamb.h"

namespace satchel::optim {
namespace {

constexpr int64_t kPiece = 16384;  // elements: four arrays of them fit a core's cache

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

/// Four running sums, so that one addition need not wait for the last.
template <class F>
double sum_in_order(int64_t begin, int64_t end, F&& term) {
  double sums[4] = {};
  int64_t i = begin;
  for (; i + 4 <= end; i += 4)
    for (int64_t k = 0; k < 4; ++k) sums[k] += term(i + k);
  for (; i < end; ++i) sums[0] += term(i);
  return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

template <class T>
struct Arrays {
  T* weight;
  const T* gradient;
  T *exp_avg, *exp_avg_sq;
  Arrays(const LambTensors& t, size_t i)
      : weight(t.weights[i].mutable_data_ptr<T>()),
        gradient(t.gradients[i].const_data_ptr<T>()),
        exp_avg(t.exp_avg[i].mutable_data_ptr<T>()),
        exp_avg_sq(t.exp_avg_sq[i].mutable_data_ptr<T>()) {}
};

template <class T>
class Update {
 public:
  Update(const LambUpdate& update, double gradient_divisor)
      : beta1_(static_cast<T>(update.beta1)),
        rest1_(static_cast<T>(1 - update.beta1)),
        beta2_(static_cast<T>(update.beta2)),
        rest2_(static_cast<T>(1 - update.beta2)),
        correction1_(static_cast<T>(update.correction1)),
        correction2_(static_cast<T>(update.correction2)),
        eps_(static_cast<T>(update.eps)),
        decay_(static_cast<T>(update.weight_decay)),
        divisor_(static_cast<T>(gradient_divisor)) {}

  void moments(const Arrays<T>& a, int64_t begin, int64_t end) const {
    for (int64_t i = begin; i < end; ++i) {
      const T g = a.gradient[i] / divisor_;
      a.exp_avg[i] = beta1_ * a.exp_avg[i] + rest1_ * g;
      a.exp_avg_sq[i] = beta2_ * a.exp_avg_sq[i] + rest2_ * g * g;
    }
  }
  T direction(const Arrays<T>& a, int64_t i) const {
    return a.exp_avg[i] / correction1_ / (std::sqrt(a.exp_avg_sq[i]) / correction2_ + eps_) + decay_ * a.weight[i];
  }
  void apply(const Arrays<T>& a, int64_t begin, int64_t end, T rate) const {
    for (int64_t i = begin; i < end; ++i) a.weight[i] -= rate * direction(a, i);
  }

 private:
  T beta1_, rest1_, beta2_, rest2_, correction1_, correction2_, eps_, decay_, divisor_;
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
void run(const LambTensors& tensors, const LambUpdate& numbers, double gradient_divisor) {
  const std::vector<Piece> pieces = pieces_of(tensors.weights);
  const Update<T> update(numbers, gradient_divisor);
  std::vector<double> w(pieces.size()), u(pieces.size());
  for_pieces(pieces, [&](size_t p) {
    const Arrays<T> a(tensors, pieces[p].tensor);
    const auto [tensor, begin, end] = pieces[p];
    update.moments(a, begin, end);
    if (!numbers.adapt) return update.apply(a, begin, end, static_cast<T>(numbers.lr));
    const auto square = [](double x) { return x * x; };
    w[p] = sum_in_order(begin, end, [&](int64_t i) { return square(a.weight[i]); });
    u[p] = sum_in_order(begin, end, [&](int64_t i) { return square(update.direction(a, i)); });
  });
  if (!numbers.adapt) return;
  const std::vector<double> ratios = trust_ratios(pieces, w, u, tensors.weights.size(), numbers.trust_clip);
  for_pieces(pieces, [&](size_t p) {
    const auto [tensor, begin, end] = pieces[p];
    update.apply(Arrays<T>(tensors, tensor), begin, end, static_cast<T>(numbers.lr * ratios[tensor]));
  });
}

template <class T>
double sum_of_squares(const std::vector<at::Tensor>& tensors) {
  const std::vector<Piece> pieces = pieces_of(tensors);
  std::vector<double> sums(pieces.size());
  for_pieces(pieces, [&](size_t p) {
    const T* data = tensors[pieces[p].tensor].const_data_ptr<T>();
    sums[p] = sum_in_order(pieces[p].begin, pieces[p].end, [&](int64_t i) { return static_cast<double>(data[i]) * data[i]; });
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
