// Words become arguments: forms of assignment, values that look like flags, and what is said of wrong ones.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "satchel/base/error.h"
#include "satchel/cli/command.h"

namespace satchel::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Words = std::vector<std::string>;

struct Typed {
  std::string data, name = "unset";
  std::optional<std::string> resume;
  std::optional<int> size;
  std::vector<std::string> sets, assigned;
  bool fast = false;

  Command command() {
    Command c{"verb", "a verb", {}, [] { return 0; }, true, [this](const std::string& a) { assigned.push_back(a); }};
    c.arguments = {{"data", &data, "", "DATA"},   {"--name,-vb", &name, "", "NAME"}, {"--resume", &resume, "", "RUN"},
                   {"--size,-s", &size, "", "N"}, {"--set,-o", &sets, "", "K=V"},    {"--fast", &fast, ""}};
    c.arguments[2].optional_value = true;
    return c;
  }
};

Typed typed(const Words& words) {
  Typed t;
  Command c = t.command();
  EXPECT_TRUE(parse(c, words));
  return t;
}

std::string refused(const Words& words) {
  Typed t;
  Command c = t.command();
  try {
    parse(c, words);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), Kind::usage);
    return error.what();
  }
  return "(accepted)";
}

TEST(Parse, TakesEveryFormOfAssignment) {
  for (const Words& words : {Words{"--size", "3"}, {"--size=3"}, {"size=3"}, {"-s", "3"}}) EXPECT_EQ(typed(words).size, 3) << words[0];
  for (const Words& words : {Words{"--fast"}, {"fast=True"}, {"--fast=1"}}) EXPECT_TRUE(typed(words).fast) << words[0];
  EXPECT_FALSE(typed({"fast=False"}).fast);
  EXPECT_EQ(typed({"-vb", "x"}).name, "x");
}

TEST(Parse, AValueBehindAFlagIsNeverAnAssignment) {
  const Typed t = typed({"--set", "size=3", "--set", "a.b=c", "d.e=f", "--name", "size=4"});
  EXPECT_THAT(t.sets, ElementsAre("size=3", "a.b=c"));
  EXPECT_THAT(t.assigned, ElementsAre("d.e=f"));
  EXPECT_EQ(t.name, "size=4");
  EXPECT_FALSE(t.size);
}

TEST(Parse, AFlagMayStandWithoutItsValueWhereThatIsAllowed) {
  EXPECT_EQ(typed({"--resume"}).resume, "");
  EXPECT_EQ(typed({"--resume", "--fast"}).resume, "");
  EXPECT_EQ(typed({"--resume", "runs/a"}).resume, "runs/a");
  EXPECT_FALSE(typed({"folder"}).resume);
}

TEST(Parse, APathMayHoldAnEqualsSign) { EXPECT_EQ(typed({"./a=b/c"}).data, "./a=b/c"); }

TEST(Parse, SaysWhatIsWrong) {
  EXPECT_THAT(refused({"--sise", "3"}), HasSubstr("verb has no option --sise (did you mean --size?); see satchel verb --help"));
  EXPECT_THAT(refused({"--size", "three"}), HasSubstr("three"));
  EXPECT_THAT(refused({"--name"}), HasSubstr("--name"));
  EXPECT_THAT(refused({"a", "b"}), HasSubstr("b"));
}

TEST(Parse, HelpIsNoError) {
  Typed t;
  Command c = t.command();
  ::testing::internal::CaptureStdout();
  EXPECT_FALSE(parse(c, {"--help"}));
  EXPECT_THAT(::testing::internal::GetCapturedStdout(), HasSubstr("--size"));
}

}  // namespace
}  // namespace satchel::cli
