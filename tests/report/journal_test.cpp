// A journal cut back and continued equals one never stopped.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "satchel/base/error.h"
#include "satchel/report/report.h"

namespace satchel::report {
namespace {

class JournalTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() / ("satchel-journal-" + std::to_string(::getpid()));
    make_folder(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  Path folder_;
};

TEST_F(JournalTest, CutBackAndContinuedEqualsNeverStopped) {
  const Path straight = folder_ / "straight", resumed = folder_ / "resumed";
  {
    Journal journal(straight);
    for (int i = 0; i < 9; ++i) journal.append("line " + std::to_string(i) + "\n");
  }
  int64_t known = 0;
  {
    Journal journal(resumed);
    for (int i = 0; i < 7; ++i) {
      journal.append("line " + std::to_string(i) + "\n");
      if (i == 3) known = journal.length();
    }
  }
  {
    Journal journal(resumed, known);
    EXPECT_EQ(journal.length(), known);
    for (int i = 4; i < 9; ++i) journal.append("line " + std::to_string(i) + "\n");
  }
  EXPECT_EQ(read_text(resumed), read_text(straight));
}

TEST_F(JournalTest, KeepsAllByDefaultAndLeavesAShorterFile) {
  write_atomic(folder_ / "file", std::string_view("abc"));
  EXPECT_EQ(Journal(folder_ / "file").length(), 3);
  EXPECT_EQ(Journal(folder_ / "file", 100).length(), 3);
  EXPECT_EQ(read_text(folder_ / "file"), "abc");
  EXPECT_EQ(Journal(folder_ / "file", 0).length(), 0);
  EXPECT_EQ(read_text(folder_ / "file"), "");
}

TEST_F(JournalTest, LengthCountsWhatIsBufferedAndFlushWritesIt) {
  Journal journal(folder_ / "file");
  journal.append("12345");
  EXPECT_EQ(journal.length(), 5);
  EXPECT_EQ(read_text(folder_ / "file"), "");
  journal.flush();
  EXPECT_EQ(read_text(folder_ / "file"), "12345");
  Journal moved(std::move(journal));
  moved.append(std::string(200000, 'x'));
  EXPECT_EQ(moved.length(), 200005);
  moved.flush();
  EXPECT_EQ(std::filesystem::file_size(folder_ / "file"), 200005u);
}

TEST_F(JournalTest, SaysWhatCannotBeWritten) {
  try {
    Journal journal(folder_ / "absent" / "file");
    FAIL() << "opened a file in a folder that does not exist";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), Kind::machine);
    EXPECT_THAT(std::string(error.what()), testing::HasSubstr("absent/file: cannot open (No such file or directory)"));
  }
  if (!std::filesystem::exists("/dev/full")) GTEST_SKIP() << "no /dev/full on this system";
  Journal full("/dev/full");
  full.append("x");
  EXPECT_THROW(full.flush(), Error);
}

}  // namespace
}  // namespace satchel::report
