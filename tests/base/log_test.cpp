// Log lines: levels, the hook that tests use, the file of a run.
// SPDX-License-Identifier: Apache-2.0
#include "satchel/base/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <utility>
#include <vector>

#include "satchel/base/error.h"
#include "satchel/base/file.h"

namespace satchel::log {
namespace {

using Lines = std::vector<std::pair<Level, std::string>>;

TEST(Log, TheHookReceivesLinesWithTheirLevelWhileItLives) {
  Lines outer, inner;
  {
    HookGuard first([&](Level level, const std::string& line) { outer.emplace_back(level, line); });
    info("{} pictures", 3);
    {
      HookGuard second([&](Level level, const std::string& line) { inner.emplace_back(level, line); });
      warn("{} is empty", "cats");
    }
    info("again");
  }
  EXPECT_EQ(outer, (Lines{{Level::info, "3 pictures"}, {Level::info, "again"}}));
  EXPECT_EQ(inner, (Lines{{Level::warning, "cats is empty"}}));
}

TEST(Log, LinesBelowTheLevelAreDropped) {
  Lines lines;
  HookGuard guard([&](Level level, const std::string& line) { lines.emplace_back(level, line); });
  debug("unseen");
  set_level(Level::debug);
  debug("seen");
  set_level(Level::warning);
  info("unseen");
  warn("seen too");
  set_level(Level::info);
  EXPECT_EQ(lines, (Lines{{Level::debug, "seen"}, {Level::warning, "seen too"}}));
}

TEST(Log, TheFileGetsEveryLineAndIsAppendedTo) {
  const Path path = std::filesystem::temp_directory_path() / ("satchel-log-" + std::to_string(::getpid()));
  HookGuard guard([](Level, const std::string&) {});
  for (const char* line : {"first", "second"}) {
    set_file(path);
    warn("{}", line);
    set_file("");
    info("after the file was closed");
  }
  const std::string text = read_text(path);
  std::filesystem::remove(path);
  EXPECT_THAT(text, ::testing::ContainsRegex("warning: first\n.*warning: second\n"));
  EXPECT_THAT(text, ::testing::Not(::testing::HasSubstr("after")));
}

TEST(Log, AFileThatCannotBeWrittenIsAnError) {
  try {
    set_file("/proc/no/train.log");
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), Kind::machine);
    EXPECT_THAT(error.what(), ::testing::HasSubstr("/proc/no/train.log"));
  }
}

}  // namespace
}  // namespace satchel::log
