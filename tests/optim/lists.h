// Lists of tensors that an update in pieces could get wrong.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/Parallel.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/randn.h>
#include <gtest/gtest.h>

#include <vector>

#include "satchel/optim/pieces.h"

namespace satchel::optim {

/// Normal numbers: one, a few, pieces with a rest, whole pieces, and a few more.
inline std::vector<at::Tensor> random_list(at::ScalarType dtype) {
  std::vector<at::Tensor> list;
  for (const int64_t size : {int64_t{1}, int64_t{7}, 10 * kPiece - 960, 4 * kPiece, int64_t{5}})
    list.push_back(at::randn({size}).to(dtype));
  return list;
}

/// The same, the last of them zeros: what a norm of 0 does.
inline std::vector<at::Tensor> list_with_zeros(at::ScalarType dtype) {
  std::vector<at::Tensor> list = random_list(dtype);
  list.back().zero_();
  return list;
}

/// The same numbers in memory of their own, list by list.
template <class Tensors, class... Members>
Tensors copy_of(const Tensors& tensors, Members... members) {
  Tensors copy;
  for (auto member : {members...})
    for (const at::Tensor& each : tensors.*member) (copy.*member).push_back(each.clone());
  return copy;
}

template <class Tensors, class... Members>
void expect_close(const Tensors& one, const Tensors& other, double tolerance, Members... members) {
  for (auto member : {members...})
    for (size_t i = 0; i < (one.*member).size(); ++i)
      EXPECT_TRUE(at::allclose((one.*member)[i], (other.*member)[i], tolerance, tolerance))
          << (one.*member)[i].scalar_type() << " tensor " << i;
}

/// run() gives tensors with weights: the same bytes on one thread and on two.
void expect_no_difference_by_threads(const auto& run) {
  const int before = at::get_num_threads();
  at::set_num_threads(1);
  const auto one = run();
  at::set_num_threads(2);
  const auto two = run();
  at::set_num_threads(before);
  for (size_t i = 0; i < one.weights.size(); ++i) EXPECT_TRUE(one.weights[i].equal(two.weights[i])) << i;
}

}  // namespace satchel::optim
