// Laws of the description that help, completion and reference are printed from.
// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <set>

#include "satchel/base/error.h"
#include "satchel/cli/command.h"

namespace satchel::cli {
namespace {

TEST(Commands, AreThoseThatPeopleType) {
  std::vector<std::string> names;
  for (const Command& c : commands("satchel")) names.push_back(c.name);
  EXPECT_THAT(names, ::testing::IsSupersetOf({"train", "val", "predict", "preview", "models", "recipes", "explain", "completion"}));
  EXPECT_EQ(std::set<std::string>(names.begin(), names.end()).size(), names.size());
}

TEST(Commands, EveryArgumentIsExplainedAndNamedOnce) {
  for (const Command& c : commands("satchel")) {
    EXPECT_FALSE(c.doc.empty()) << c.name;
    std::set<std::string> seen;
    for (const Argument& a : c.arguments) {
      EXPECT_FALSE(a.doc.empty()) << c.name << " " << a.names;
      for (size_t at = 0; at <= a.names.size();) {
        const size_t comma = std::min(a.names.find(',', at), a.names.size());
        EXPECT_TRUE(seen.insert(a.names.substr(at, comma - at)).second) << c.name << " " << a.names;
        at = comma + 1;
      }
    }
  }
}

TEST(Commands, EveryVerbHasHelp) {
  for (Command& c : commands("satchel")) {
    ::testing::internal::CaptureStdout();
    EXPECT_FALSE(parse(c, {"--help"}));
    EXPECT_THAT(::testing::internal::GetCapturedStdout(), ::testing::HasSubstr(c.doc)) << c.name;
  }
}

TEST(Print, LostOutputIsAnError) {
  std::fflush(stdout);
  const int kept = ::dup(STDOUT_FILENO), full = ::open("/dev/full", O_WRONLY);
  ASSERT_GE(full, 0);
  ::dup2(full, STDOUT_FILENO);
  std::string what = "(taken)";
  try {
    print("an answer\n");
  } catch (const Error& error) {
    what = error.what();
  }
  std::clearerr(stdout);
  ::dup2(kept, STDOUT_FILENO);
  ::close(kept), ::close(full);
  EXPECT_EQ(what, "standard output: cannot write (No space left on device); free some space or send it elsewhere");
}

}  // namespace
}  // namespace satchel::cli
