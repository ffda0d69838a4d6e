// A state that was saved is the state that is read; what is damaged or foreign is refused.
// SPDX-License-Identifier: Apache-2.0
#include "satchel/train/checkpoint.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "satchel/base/error.h"
#include "tests/e2e/program.h"

namespace satchel::train {
namespace {

using optim::StateTensor;

Position somewhere() {
  Position p;
  p.step = 123456789012, p.loss_sum = 0.1 + 0.2, p.loss_count = 77;
  p.rows = {{0, 1.0 / 3, 2.5, 50, 90, 0.1, 0.7, 51, 91}, {1, 1e-300, 2.25, 60, 95, 0.05, 0.6, 61, 96}};
  p.best_metric = 61, p.best_epoch = 1, p.ranked = {{1, 61}, {0, 51}}, p.without_better = 2, p.left_out = 3, p.seconds = 12.75;
  p.finished = true, p.journals = {{"summary", 10}, {"metrics", 20}}, p.counters = {5, 6};
  return p;
}

const Surroundings kAround{"0.1", "hash", "AVX2", "CPU, 1 thread", "a folder/with \"quotes\"", 2, {"cat", "dög"}, "teacher sha1 00"};

std::vector<StateTensor> tensors() {
  return {{"network.w", at::arange(6, at::kFloat).view({2, 3})},
          {"network.steps", at::full({}, int64_t{1} << 40, at::kLong)},
          {"optimizer.w", at::arange(4, at::kDouble) / 3},
          {"half", at::arange(3, at::kBFloat16)}};
}

TEST(Checkpoint, WhatWasSavedIsRead) {
  const Scratch scratch;
  const Path file = scratch / "last.state";
  save_state(file, tensors(), somewhere(), kAround);
  const StateFile read = read_state(file);
  const Position p = somewhere();
  EXPECT_EQ(read.position.step, p.step);
  EXPECT_EQ(read.position.loss_sum, p.loss_sum);
  EXPECT_EQ(read.position.loss_count, p.loss_count);
  EXPECT_EQ(read.position.rows, p.rows);
  EXPECT_EQ(read.position.best_metric, p.best_metric);
  EXPECT_EQ(read.position.best_epoch, p.best_epoch);
  EXPECT_EQ(read.position.ranked, p.ranked);
  EXPECT_EQ(read.position.without_better, p.without_better);
  EXPECT_EQ(read.position.left_out, p.left_out);
  EXPECT_EQ(read.position.seconds, p.seconds);
  EXPECT_EQ(read.position.finished, p.finished);
  EXPECT_EQ(read.position.journals, p.journals);
  EXPECT_EQ(read.position.counters, p.counters);
  EXPECT_EQ(read.around.data, kAround.data);
  EXPECT_EQ(read.around.classes, kAround.classes);
  EXPECT_EQ(read.around.threads, kAround.threads);
  EXPECT_EQ(read.around.loss, kAround.loss);

  std::vector<StateTensor> empty;
  for (const StateTensor& t : tensors()) empty.push_back({t.name, at::zeros(t.value.sizes(), t.value.options())});
  restore_tensors(file, empty);
  for (size_t i = 0; i < empty.size(); ++i) EXPECT_TRUE(at::equal(empty[i].value, tensors()[i].value)) << empty[i].name;
}

std::string refused(const std::function<void()>& act) {
  try {
    act();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), Kind::data);
    return error.what();
  }
  return "(accepted)";
}

TEST(Checkpoint, RefusesWhatIsDamagedOrForeign) {
  using ::testing::HasSubstr;
  const Scratch scratch;
  const Path file = scratch / "last.state", torn = scratch / "torn.state";
  save_state(file, tensors(), somewhere(), kAround);
  for (const size_t size : {size_t{0}, size_t{7}, size_t{100}, read_file(file).size() - 1}) {
    Bytes bytes = read_file(file);
    bytes.resize(size);
    write_atomic(torn, bytes);
    EXPECT_THAT(refused([&] { read_state(torn); }), HasSubstr("torn.state")) << size;
  }
  EXPECT_THAT(refused([&] { read_state(scratch / "none.state"); }), HasSubstr("none.state"));
  EXPECT_THAT(refused([&] { restore_tensors(file, {{"network.x", at::zeros({1})}}); }), HasSubstr("has no tensor network.x"));
  EXPECT_THAT(refused([&] { restore_tensors(file, {{"network.w", at::zeros({3, 2})}}); }), HasSubstr("another shape"));
  EXPECT_THAT(refused([&] { restore_tensors(file, {{"network.w", at::zeros({2, 3}, at::kDouble)}}); }), HasSubstr("network.w"));
}

TEST(Checkpoint, AFailedSaveLeavesTheOldState) {
  const Scratch scratch;
  const Path file = scratch / "last.state";
  save_state(file, tensors(), somewhere(), kAround);
  const Bytes before = read_file(file);
  EXPECT_THROW(save_state(scratch / "none/last.state", tensors(), somewhere(), kAround), Error);
  EXPECT_EQ(read_file(file), before);
}

}  // namespace
}  // namespace satchel::train
