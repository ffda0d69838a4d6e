// Event files: checksums against RFC 3720, the bytes against the tensorboard package's own writer (tools/golden/event_file.py).
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>

#include "satchel/report/report.h"

namespace satchel::report {
namespace {

class TensorBoardTest : public testing::Test {
 protected:
  void SetUp() override { folder_ = std::filesystem::temp_directory_path() / ("satchel-tensorboard-" + std::to_string(::getpid())); }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  Path only_file() const {
    std::vector<Path> files(std::filesystem::directory_iterator(folder_), {});
    EXPECT_EQ(files.size(), 1u);
    return files.at(0);
  }
  Path folder_;
};

/// The values that tools/golden/event_file.py writes.
void write_values(TensorBoard& board, int from, int to) {
  for (int step = from; step < to; ++step) {
    board.scalar("train/loss", 2.5 / (step + 1), step * 1000, 1700000000.25 + step);
    if (step == 2) board.text("recipe", "model = \"resnet18\"\nbatch = 64 µ", step, 1700000000.25 + step);
    board.scalar("eval/top1", step == 3 ? std::nan("") : 10.0 * step, step, 1700000000.5 + step);
  }
}

TEST(Crc32c, Rfc3720Vectors) {
  const std::string zeros(32, '\0'), ones(32, '\xFF');
  std::string up, down;
  for (int i = 0; i < 32; ++i) up += static_cast<char>(i), down += static_cast<char>(31 - i);
  EXPECT_EQ(crc32c(zeros.data(), 32), 0x8A9136AAu);
  EXPECT_EQ(crc32c(ones.data(), 32), 0x62A8AB43u);
  EXPECT_EQ(crc32c(up.data(), 32), 0x46DD794Eu);
  EXPECT_EQ(crc32c(down.data(), 32), 0x113FDB5Cu);
  EXPECT_EQ(crc32c("123456789", 9), 0xE3069283u);
  EXPECT_EQ(crc32c("", 0), 0u);
}

TEST_F(TensorBoardTest, BytesEqualThoseOfTheTensorboardPackage) {
  {
    TensorBoard board(folder_);
    write_values(board, 0, 5);
  }
  EXPECT_NE(only_file().filename().string().find("tfevents"), std::string::npos) << "TensorBoard looks for this word";
  EXPECT_EQ(read_file(only_file()), read_file("tests/golden/report/events.tfevents")) << "written by tools/golden/event_file.py";
}

TEST_F(TensorBoardTest, ResumedFileEqualsOneNeverStopped) {
  int64_t known = 0;
  {
    TensorBoard board(folder_);
    EXPECT_EQ(board.length(), 0);
    write_values(board, 0, 2);
    known = board.length();
    write_values(board, 2, 3);  // lost: the state does not know it
  }
  {
    TensorBoard board(folder_, known);
    write_values(board, 2, 5);
  }
  EXPECT_EQ(read_file(only_file()), read_file("tests/golden/report/events.tfevents"));
  {
    TensorBoard board(folder_, 0);
    write_values(board, 0, 5);
  }
  EXPECT_EQ(read_file(only_file()), read_file("tests/golden/report/events.tfevents"));
}

}  // namespace
}  // namespace satchel::report
