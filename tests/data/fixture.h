// What the tests of satchel/data share: a folder of made pictures that goes away again, and a reader without files.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <functional>
#include <set>
#include <string>

#include "satchel/base/error.h"
#include "satchel/data/data.h"
#include "tests/augment/op.h"
#include "tests/error_of.h"

namespace satchel::data {

/// A folder for one test.
class TestFolder : public ::testing::Test {
 protected:
  void SetUp() override {
    root_ = Path(::testing::TempDir()) /
            fmt::format("satchel_{}_{}", ::getpid(), ::testing::UnitTest::GetInstance()->current_test_info()->name());
    std::filesystem::remove_all(root_);
    make_folder(root_);
  }
  void TearDown() override { std::filesystem::remove_all(root_); }

  /// Writes a made PNG and its folders.
  void picture(const std::string& relative, uint64_t seed = 1, image::Size size = {6, 4}) const {
    bytes(relative, image::encode_png(image::golden::made_up(size, seed)));
  }
  void bytes(const std::string& relative, const Bytes& contents) const {
    make_folder((root_ / relative).parent_path());
    write_atomic(root_ / relative, std::span<const uint8_t>(contents));
  }
  void text(const std::string& relative, std::string_view contents) const {
    make_folder((root_ / relative).parent_path());
    write_atomic(root_ / relative, contents);
  }

  Path root_;
};

/// Made pictures in memory; some cannot be read.
class MadeReader : public Reader {
 public:
  explicit MadeReader(int64_t count, std::set<int64_t> broken = {}) : count_(count), broken_(std::move(broken)) {}
  int64_t size() const override { return count_; }
  int64_t label(int64_t i) const override { return i % 3; }
  std::string name(int64_t i) const override { return fmt::format("made/{}.png", i); }
  static image::Image made(int64_t i) {
    return image::golden::made_up({static_cast<int>(10 + i % 7), static_cast<int>(9 + i % 5)}, static_cast<uint64_t>(i));
  }
  image::Picture open(int64_t i) const override {
    if (on_open) on_open(i);
    check(!broken_.count(i), Kind::data, "{}: broken on purpose", name(i));
    return {made(i), name(i)};
  }
  std::function<void(int64_t)> on_open;

 private:
  int64_t count_;
  std::set<int64_t> broken_;
};

inline Dataset all_of(std::shared_ptr<const Reader> reader) {
  Dataset dataset{std::move(reader), {}};
  for (int64_t i = 0; i < dataset.reader->size(); ++i) dataset.items.push_back(i);
  return dataset;
}

using augment::pipeline;

inline augment::Mixer mixer(const std::string& list, augment::MixOptions options = {}) {
  const auto table = recipe::parse_toml("mix = [" + list + "]", "test");
  return {recipe::slots_of(*table.find("mix"), "mix"), options};
}

}  // namespace satchel::data
