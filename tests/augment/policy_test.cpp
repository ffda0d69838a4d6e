// timm's strings taken apart.
// SPDX-License-Identifier: Apache-2.0
#include "satchel/augment/policy.h"

#include "tests/augment/op.h"

namespace satchel::augment {
namespace {

TEST(Policy, IsANameAndSettings) {
  const Policy policy("here", "rand-m9-mstd0.5-tweights-inc1");
  EXPECT_EQ(policy.name(), "rand");
  EXPECT_EQ(policy.whole("m", 0), 9);
  EXPECT_EQ(policy.number("mstd", 0), 0.5);
  EXPECT_EQ(policy.word("t"), "weights");
  EXPECT_EQ(policy.whole("inc", 0), 1);
  EXPECT_EQ(policy.number("p", 0.25), 0.25);
  EXPECT_NO_THROW(policy.expect({"m", "mstd", "t", "inc"}));
  EXPECT_EQ(error_of(Kind::usage,
                     [&] {
                       policy.expect({"m", "t", "inc"});
                     }),
            "here \"rand-m9-mstd0.5-tweights-inc1\": rand has no setting 'mstd'; its settings are m, t, inc");
}

TEST(Policy, NumbersAreCheckedWhenTheyAreRead) {
  const Policy policy("here", "rand-m9.5-n101-p1.2.3");
  EXPECT_EQ(policy.number("m", 0), 9.5);
  for (const char* key : {"m", "n"})
    EXPECT_NE(error_of(Kind::usage, [&] { policy.whole(key, 0); }).find("must be a whole number"), std::string::npos);
  EXPECT_NE(error_of(Kind::usage, [&] { policy.number("p", 0); }).find("is no number"), std::string::npos);
}

std::string names(const std::vector<recipe::Slot>& list) {
  std::string all;
  for (const recipe::Slot& op : list) all += op.name + " ";
  return all;
}

TEST(Policy, OneOfItsKindStandsInAListBeforeTheColours) {
  const std::vector<recipe::Slot> list{{"random_resized_crop", {}}, {"hflip", {}}, {"color_jitter", {}}, {"lighting", {}}};
  const auto rand = with_auto_augment(list, "rand-m7-inc1", "--aa");
  EXPECT_EQ(names(rand), "random_resized_crop hflip rand_augment lighting ");
  EXPECT_EQ(*rand[2].options.find("policy")->text(), "rand-m7-inc1");
  EXPECT_EQ(rand[2].origin, "--aa");
  EXPECT_EQ(names(with_auto_augment(rand, "augmix-m3", "--aa")), "random_resized_crop hflip augmix lighting ");
  EXPECT_EQ(names(with_auto_augment(list, "3a", "--aa")), "random_resized_crop hflip auto_augment color_jitter lighting ");
  EXPECT_EQ(names(with_auto_augment({}, "ta_wide", "--aa")), "trivial_augment_wide ");
  EXPECT_EQ(names(with_auto_augment(rand, "", "--aa")), "random_resized_crop hflip lighting ");
  EXPECT_EQ(names(with_auto_augment(list, "", "--aa")), names(list));
}

TEST(Policy, RefusesNamesWithASuggestion) {
  const std::string said = error_of(Kind::usage, [] { auto_augment_name("radn-m9", "--aa"); });
  EXPECT_NE(error_of(Kind::usage, [] { auto_augment_name("ta_wide-m9", "--aa"); }).find("ta_wide has no settings"), std::string::npos);
  EXPECT_NE(said.find("--aa radn-m9: there is no augmentation 'radn' (did you mean rand?)"), std::string::npos) << said;
}

}  // namespace
}  // namespace satchel::augment
