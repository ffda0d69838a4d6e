// Completion scripts hold every verb and flag, and a shell accepts them.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "satchel/cli/command.h"
#include "tests/e2e/program.h"

namespace satchel::cli {
namespace {

std::string script(const std::string& shell) {
  Command command = completion_command();
  ::testing::internal::CaptureStdout();
  EXPECT_TRUE(parse(command, {shell}));
  EXPECT_EQ(command.run(), 0);
  return ::testing::internal::GetCapturedStdout();
}

TEST(Completion, HoldsEveryVerbAndLongFlag) {
  const std::string bash = script("bash"), zsh = script("zsh");
  for (const Command& c : commands("satchel")) {
    EXPECT_THAT(bash, ::testing::HasSubstr(c.name));
    EXPECT_THAT(zsh, ::testing::HasSubstr(c.name));
    for (const Argument& a : c.arguments)
      if (const size_t at = a.names.find("--"); at != std::string::npos) {
        EXPECT_THAT(bash, ::testing::HasSubstr(a.names.substr(at, a.names.find(',', at) - at)));
      }
  }
}

TEST(Completion, BashAcceptsIt) {
  const Scratch scratch;
  write_atomic(scratch / "satchel.bash", script("bash"));
  EXPECT_EQ(std::system(("bash -n '" + (scratch / "satchel.bash").string() + "'").c_str()), 0);
  const std::string ask = "bash -c 'source \"$0\"; COMP_WORDS=(satchel tra); COMP_CWORD=1; _satchel; [ \"${COMPREPLY[0]}\" = train ]' '";
  EXPECT_EQ(std::system((ask + (scratch / "satchel.bash").string() + "'").c_str()), 0);
}

}  // namespace
}  // namespace satchel::cli
