// Values are read as argparse reads them; what is wrong is named with its place.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "satchel/bridge/arguments.h"
#include "tests/error_of.h"

namespace satchel::bridge {
namespace {

Arguments of(const std::vector<Given>& given) { return Arguments(given, false); }

TEST(Values, AreReadByTheTypeOfTheirArgument) {
  const Arguments args = of({{"lr", {"5e-3"}, false, "a:1"},
                             {"epochs", {"90"}, false, "a:2"},
                             {"scale", {"0.3", "1"}, false, "a:3"},
                             {"amp", {"true"}, false, "a:4"},
                             {"color_jitter", {}, true, "a:5"},
                             {"model_kwargs", {"zero_init_last=False", "output_stride=16"}, false, "a:6"}});
  EXPECT_EQ(args.number("lr"), 5e-3);
  EXPECT_EQ(args.whole("epochs"), 90);
  EXPECT_EQ(args.numbers("scale"), (std::vector<double>{0.3, 1}));
  EXPECT_TRUE(args.on("amp"));
  EXPECT_FALSE(args.is_set("color_jitter"));
  EXPECT_EQ(recipe::to_toml(*args.pairs("model_kwargs").find("zero_init_last")), "false");
  EXPECT_EQ(recipe::to_toml(*args.pairs("model_kwargs").find("output_stride")), "16");
  EXPECT_EQ(args.origin("lr"), "a:1");
  EXPECT_EQ(args.origin("momentum"), "default");
}

TEST(Values, AreShownAsTyped) {
  const Arguments args = of({{"scale", {"0.3", "1"}, false, ""}, {"amp", {"true"}, false, ""}});
  EXPECT_EQ(args.typed("scale"), "--scale 0.3 1.0");
  EXPECT_EQ(args.typed("amp"), "--amp");
  EXPECT_EQ(args.typed("aa"), "--aa None");
}

TEST(Values, OfTheWrongTypeAreRefusedWithTheirPlace) {
  EXPECT_EQ(error_of(Kind::usage, [] { of({{"lr", {"fast"}, false, "args.yaml:7"}}); }), "args.yaml:7: lr = fast: a number is needed");
  EXPECT_EQ(error_of(Kind::usage,
                     [] {
                       of({{"epochs", {"2.5"}, false, "--epochs"}});
                     }),
            "--epochs: epochs = 2.5: a whole number is needed");
  EXPECT_EQ(error_of(Kind::usage, [] { of({{"amp", {"7"}, false, "--amp"}}); }), "--amp: amp = 7: true or false is needed");
  EXPECT_EQ(error_of(Kind::usage,
                     [] {
                       of({{"model_kwargs", {"zero"}, false, "a.yaml:2"}});
                     }),
            "a.yaml:2: model_kwargs = zero: key=value is needed");
}

TEST(Values, ThoseThatDifferFromTheDefaultCountAsGiven) {
  const Arguments args = of({{"lr", {"0.1"}, false, ""}, {"momentum", {"0.9"}, false, ""}, {"nonsense", {"1"}, false, "args.yaml:3"}});
  for (const Arguments::Entry& entry : args.entries())
    EXPECT_EQ(entry.given, std::string(entry.argument->name) == "lr") << entry.argument->name;
  ASSERT_EQ(args.unknown().size(), 1u);
  EXPECT_EQ(args.unknown()[0].name, "nonsense");
}

TEST(Values, AnEmptyListIsRefused) {
  const Given empty{"input_size", {}, false, "args.yaml:1"};
  EXPECT_NE(error_of(Kind::usage, [&] { Arguments({empty}, false); }).find("input_size = : one value at least is needed"),
            std::string::npos);
}

}  // namespace
}  // namespace satchel::bridge
