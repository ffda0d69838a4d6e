// Files: whole reads, maps, and writes that leave the old file or the new one, also when the disk is full or a producer throws.
// SPDX-License-Identifier: Apache-2.0
#include "satchel/base/file.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <stdexcept>

#include "satchel/base/error.h"

namespace satchel {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;

class FileTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "satchel-file-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { fs::remove_all(folder_); }

  /// Names in the folder: nothing temporary may stay behind.
  std::vector<std::string> names() const {
    std::vector<std::string> found;
    for (const auto& entry : fs::directory_iterator(folder_)) found.push_back(entry.path().filename());
    return found;
  }

  Path folder_;
};

template <class F>
Error error_of(F&& f) {
  try {
    f();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "nothing was thrown";
  return {Kind::usage, ""};
}

TEST_F(FileTest, ReadsWhatWasWritten) {
  std::string text(300'000, 'x');
  text[7] = '\0';
  write_atomic(folder_ / "a", text);
  EXPECT_EQ(read_text(folder_ / "a"), text);
  EXPECT_EQ(read_file(folder_ / "a"), Bytes(text.begin(), text.end()));
  EXPECT_THAT(names(), ::testing::ElementsAre("a"));
}

TEST_F(FileTest, EmptyFilesAreFiles) {
  write_atomic(folder_ / "empty", std::string_view());
  EXPECT_TRUE(read_file(folder_ / "empty").empty());
  EXPECT_TRUE(MappedFile(folder_ / "empty").bytes().empty());
}

TEST_F(FileTest, WhatCannotBeReadIsNamedWithTheReason) {
  const Error absent = error_of([&] { read_file(folder_ / "absent"); });
  EXPECT_EQ(absent.kind(), Kind::data);
  EXPECT_THAT(absent.what(), AllOf(HasSubstr("absent"), HasSubstr("No such file")));
  const Error folder = error_of([&] { read_file(folder_); });
  EXPECT_EQ(folder.kind(), Kind::data);
  EXPECT_THAT(folder.what(), HasSubstr(folder_.string()));
}

TEST_F(FileTest, PiecesAreJoinedInOrder) {
  write_atomic(folder_ / "a", [](const WriteFn& write) {
    for (const char* piece : {"one ", "two ", "three"}) write(piece, std::string_view(piece).size());
  });
  EXPECT_EQ(read_text(folder_ / "a"), "one two three");
}

TEST_F(FileTest, AProducerThatThrowsLeavesTheOldFile) {
  write_atomic(folder_ / "a", "old");
  EXPECT_THROW(write_atomic(folder_ / "a",
                            [](const WriteFn& write) {
                              write("half", 4);
                              throw std::runtime_error("broken");
                            }),
               std::runtime_error);
  EXPECT_EQ(read_text(folder_ / "a"), "old");
  EXPECT_THAT(names(), ::testing::ElementsAre("a"));
}

TEST_F(FileTest, AFullDiskLeavesTheOldFile) {
  write_atomic(folder_ / "a", "old");
  // A limit on file size fails in write(2) as a full disk does.
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto signal_before = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit tight{4096, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &tight), 0);
  const Error error = error_of([&] { write_atomic(folder_ / "a", std::string(10'000, 'x')); });
  ::setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, signal_before);
  EXPECT_EQ(error.kind(), Kind::machine);
  EXPECT_THAT(error.what(), HasSubstr((folder_ / "a").string()));
  EXPECT_EQ(read_text(folder_ / "a"), "old");
  EXPECT_THAT(names(), ::testing::ElementsAre("a"));
}

TEST_F(FileTest, AFolderThatIsNotThereCannotBeWrittenInto) {
  const Error error = error_of([&] { write_atomic(folder_ / "no" / "a", "x"); });
  EXPECT_EQ(error.kind(), Kind::machine);
  EXPECT_THAT(error.what(), HasSubstr("No such file"));
}

TEST_F(FileTest, MapsShowTheContentsAndMove) {
  write_atomic(folder_ / "a", "mapped");
  MappedFile first(folder_ / "a");
  MappedFile second(std::move(first));
  EXPECT_EQ(std::string(second.bytes().begin(), second.bytes().end()), "mapped");
  MappedFile third(folder_ / "a");
  third = std::move(second);
  EXPECT_EQ(third.bytes().size(), 6u);
}

TEST_F(FileTest, FoldersAreMadeWithTheirParentsOnceOrAgain) {
  make_folder(folder_ / "a" / "b");
  make_folder(folder_ / "a" / "b");
  EXPECT_TRUE(fs::is_directory(folder_ / "a" / "b"));
  write_atomic(folder_ / "file", "x");
  EXPECT_EQ(error_of([&] { make_folder(folder_ / "file"); }).kind(), Kind::machine);
  EXPECT_EQ(error_of([&] { make_folder(folder_ / "file" / "below"); }).kind(), Kind::machine);
}

TEST_F(FileTest, ALinkIsFollowedAndAPipeWrittenTo) {
  write_atomic(folder_ / "a", "old");
  fs::create_symlink("a", folder_ / "link");
  write_atomic(folder_ / "link", "new");
  EXPECT_TRUE(fs::is_symlink(folder_ / "link"));
  EXPECT_EQ(read_text(folder_ / "a"), "new");

  const Path pipe = folder_ / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_THAT(error_of([&] { read_file(pipe); }).what(), HasSubstr("pipe: not a regular file")) << "and does not wait for a writer";
  const int reader = ::open(pipe.c_str(), O_RDONLY | O_NONBLOCK);
  write_atomic(pipe, "through");
  char got[16] = {};
  EXPECT_EQ(::read(reader, got, sizeof(got)), 7);
  ::close(reader);
  EXPECT_STREQ(got, "through");
  EXPECT_TRUE(fs::is_fifo(pipe));
}

TEST_F(FileTest, AFolderHasOneHolder) {
  {
    const FolderLock lock(folder_, "busy");
    const Error error = error_of([&] { FolderLock(folder_, "somebody is at work here"); });
    EXPECT_EQ(error.what(), folder_.string() + ": somebody is at work here");
    EXPECT_EQ(error.kind(), Kind::usage);
  }
  const FolderLock again(folder_, "busy");
  EXPECT_TRUE(names().empty());
}

}  // namespace
}  // namespace satchel
