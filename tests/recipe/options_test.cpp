// Declared once, read everywhere: parse, print and describe over every member type, and the exact words of every refusal.
// SPDX-License-Identifier: Apache-2.0
#include "satchel/recipe/options.h"

#include <gtest/gtest.h>

#include "tests/recipe/expect.h"

namespace satchel::recipe {
namespace {

struct Everything {
  bool flag = false;
  int small = 3;
  int64_t large = int64_t{1} << 40;
  double rate = 0.1;
  std::string mode = "fp32";
  Duration length{5, Duration::Unit::epochs};
  std::array<double, 2> scale{0.08, 1};
  std::optional<double> clip;
  std::optional<std::string> target;
  std::optional<Duration> pause;
  std::optional<std::vector<double>> maybe;
  std::vector<int64_t> milestones{30, 60};
  std::vector<bool> switches{true};
  std::vector<std::string> names;
  std::vector<Duration> stops;
  Slot inner;
  std::vector<Slot> things;
  void fields(auto& f) {
    f("flag", flag, "a switch");
    f("small", small, "an int", Range{1, 10});
    f("large", large, "an int64");
    f("rate", rate, "learning rate", kPositive, Flag{"--lr", "--rate"});
    f("mode", mode, "precision", Choices{{"fp32", "bf16"}});
    f("length", length, "how long", kPositive);
    f("scale", scale, "share of the area", kUnit);
    f("clip", clip, "largest norm", kNotNegative);
    f("target", target, "a text or none");
    f("pause", pause, "a duration or none");
    f("maybe", maybe, "numbers or none");
    f("milestones", milestones, "whole numbers", kPositive);
    f("switches", switches, "switches");
    f("names", names, "texts", Choices{{"a", "b"}});
    f("stops", stops, "durations");
    f("inner", inner, "a thing");
    f("things", things, "things");
  }
};

struct Nothing {
  void fields(auto&) {}
};

struct Contrary {
  bool nesterov = false;
  double momentum = 0;
  void fields(auto& f) {
    f("nesterov", nesterov, "look ahead");
    f("momentum", momentum, "memory", kUnit);
  }
  void validate(const Table& given) const {
    check(!nesterov || momentum > 0, Kind::usage, "{}nesterov needs momentum", place(given, "nesterov"));
  }
};

Table table(const std::string& text) { return parse_toml(text, "a2.toml"); }

/// The refusal of one line of options called "x".
std::string refused_line(const std::string& line) {
  return refusal([&] { parse<Everything>(table("\n" + line), "x"); });
}

TEST(Options, DefaultsStandWhereNothingIsGiven) { EXPECT_EQ(to_toml(print(parse<Everything>({}, "x"))), to_toml(print(Everything()))); }

TEST(Options, EveryMemberTypeIsReadAndPrintedBack) {
  const std::string text =
      "clip = 1.5\nflag = true\nlarge = -7\nlength = \"10 %\"\nmaybe = [0.5]\nmilestones = [1, 2, 3]\nmode = \"bf16\"\nnames = [\"a\", "
      "\"b\"]\n"
      "pause = \"5 minutes\"\nrate = 0.005\nscale = [0.25, 0.5]\nsmall = 10\nstops = [\"1 epoch\", \"7 steps\"]\nswitches = [false, true]\n"
      "target = \"cat\"\ninner = { bce = { reduction = \"sum\" } }\nthings = [\n  { hflip = {} },\n  { resize = { size = 3 } },\n]\n";
  const Everything read = parse<Everything>(table(text), "x");
  EXPECT_TRUE(read.flag);
  EXPECT_EQ(read.small, 10);
  EXPECT_EQ(read.large, -7);
  EXPECT_EQ(read.rate, 0.005);
  EXPECT_EQ(read.mode, "bf16");
  EXPECT_EQ(read.length, (Duration{10, Duration::Unit::percent}));
  EXPECT_EQ(read.scale, (std::array<double, 2>{0.25, 0.5}));
  EXPECT_EQ(read.clip, 1.5);
  EXPECT_EQ(read.target, "cat");
  EXPECT_EQ(read.pause, (Duration{300, Duration::Unit::seconds}));
  EXPECT_EQ(read.maybe, std::vector<double>{0.5});
  EXPECT_EQ(read.milestones, (std::vector<int64_t>{1, 2, 3}));
  EXPECT_EQ(read.switches, (std::vector<bool>{false, true}));
  EXPECT_EQ(read.names, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(read.stops, (std::vector<Duration>{{1, Duration::Unit::epochs}, {7, Duration::Unit::steps}}));
  EXPECT_EQ(read.inner.name, "bce");
  EXPECT_EQ(read.inner.origin, "a2.toml:16");
  EXPECT_EQ(read.things.at(1).name, "resize");
  EXPECT_EQ(to_toml(print(read)), text);
}

TEST(Options, ResolveKeepsTheOriginOfWhatWasGiven) {
  const Table resolved = resolve<Everything>(table("\nrate = 1\ninner = { bce = { x = 1 } }"), "x");
  EXPECT_EQ(resolved.find("rate")->origin, "a2.toml:2");
  EXPECT_EQ(to_toml(*resolved.find("rate")), "1.0");
  EXPECT_EQ(resolved.find("mode")->origin, "default");
  EXPECT_EQ(resolved.find("inner")->table()->find("bce")->table()->find("x")->origin, "a2.toml:3");
  EXPECT_EQ(resolved.find("clip"), nullptr) << "an empty optional is left out";
}

TEST(Options, DescribeSaysWhatWasDeclared) {
  const std::vector<OptionInfo> options = describe<Everything>();
  std::string all;
  for (const OptionInfo& o : options) all += o.name + "|" + o.type + "|" + o.default_text + "|" + o.range + "|" + o.doc + "\n";
  EXPECT_EQ(all,
            "flag|bool|false||a switch\n"
            "small|integer|3|in [1, 10]|an int\n"
            "large|integer|1099511627776||an int64\n"
            "rate|number|0.1|> 0|learning rate\n"
            "mode|text|\"fp32\"|one of fp32, bf16|precision\n"
            "length|duration|\"5 epochs\"|> 0|how long\n"
            "scale|two numbers|[0.08, 1.0]|in [0, 1]|share of the area\n"
            "clip|number||>= 0|largest norm\n"
            "target|text|||a text or none\n"
            "pause|duration|||a duration or none\n"
            "maybe|list of numbers|||numbers or none\n"
            "milestones|list of integers|[30, 60]|> 0|whole numbers\n"
            "switches|list of bools|[true]||switches\n"
            "names|list of texts|[]|one of a, b|texts\n"
            "stops|list of durations|[]||durations\n"
            "inner|thing|||a thing\n"
            "things|list of things|[]||things\n");
  EXPECT_EQ(options.at(3).flags, (std::vector<std::string>{"--lr", "--rate"}));
  EXPECT_TRUE(options.at(0).flags.empty());
}

TEST(Options, UnknownKeysAreRefusedWithASuggestion) {
  EXPECT_EQ(refused_line("rat = 1"), "a2.toml:2: x has no option 'rat' (did you mean rate?)");
  EXPECT_EQ(refused_line("milestoens = [1]"), "a2.toml:2: x has no option 'milestoens' (did you mean milestones?)");
  EXPECT_EQ(refusal([] { parse<Contrary>(table("zzzzzz = 1"), "optimizer.sgd"); }),
            "a2.toml:1: optimizer.sgd has no option 'zzzzzz' (it takes nesterov, momentum)");
  EXPECT_EQ(refusal([] { parse<Nothing>(table("p = 1"), "schedule.constant"); }),
            "a2.toml:1: schedule.constant has no option 'p' (it takes none)");
}

TEST(Options, WrongTypesAreRefused) {
  EXPECT_EQ(refused_line("small = \"x\""), "a2.toml:2: x.small = \"x\": a whole number is needed");
  EXPECT_EQ(refused_line("small = 5.0"), "a2.toml:2: x.small = 5.0: a whole number is needed");
  EXPECT_EQ(refused_line("small = 5000000000"), "a2.toml:2: x.small = 5000000000: must fit in 32 bits");
  EXPECT_EQ(refused_line("large = true"), "a2.toml:2: x.large = true: a whole number is needed");
  EXPECT_EQ(refused_line("flag = 1"), "a2.toml:2: x.flag = 1: true or false is needed");
  EXPECT_EQ(refused_line("rate = \"0.1\""), "a2.toml:2: x.rate = \"0.1\": a number is needed");
  EXPECT_EQ(refused_line("rate = nan"), "a2.toml:2: x.rate = nan: a number is needed");
  for (const char* number : {"inf", "-inf", "1e300"})
    EXPECT_EQ(refused_line(std::string("rate = ") + number).find("a2.toml:2: x.rate = "), 0u) << number;
  EXPECT_EQ(refused_line("rate = inf"), "a2.toml:2: x.rate = inf: must be a number that single precision can hold");
  EXPECT_EQ(refused_line("mode = 32"), "a2.toml:2: x.mode = 32: a text in quotes is needed");
  EXPECT_EQ(refused_line("scale = [1]"), "a2.toml:2: x.scale = [1]: a list of two numbers is needed");
  EXPECT_EQ(refused_line("scale = [0.1, \"b\"]"), "a2.toml:2: x.scale = \"b\": a number is needed");
  EXPECT_EQ(refused_line("milestones = 30"), "a2.toml:2: x.milestones = 30: a list is needed: [ … ]");
  EXPECT_EQ(refused_line("milestones = [\n1,\n2.5]"), "a2.toml:4: x.milestones = 2.5: a whole number is needed");
  EXPECT_EQ(refused_line("length = true"), "a2.toml:2: x.length = true: a duration is needed, such as \"5 epochs\" or \"2000 steps\"");
  EXPECT_EQ(refused_line("flag = \"" + std::string(100, 'a') + "\""), "a2.toml:2: x.flag = a text: true or false is needed");
}

TEST(Options, AWholeNumberServesAsNumber) { EXPECT_EQ(parse<Everything>(table("rate = 2"), "x").rate, 2.0); }

TEST(Options, BareNumbersAreNoDurations) {
  EXPECT_EQ(refused_line("length = 5"), "a2.toml:2: x.length = 5: the unit is missing: \"5 epochs\" or \"5 steps\"?");
  EXPECT_EQ(refused_line("length = \"5 parsecs\""),
            "a2.toml:2: x.length = \"5 parsecs\": no unit 'parsecs'; there are epochs, steps, %, hours, minutes, seconds");
  EXPECT_EQ(parse<Everything>(table("pause = 0"), "x").pause, (Duration{0, Duration::Unit::epochs}));
}

TEST(Options, ValuesOutOfRangeAreRefused) {
  EXPECT_EQ(refused_line("small = 0"), "a2.toml:2: x.small = 0: must be in [1, 10]");
  EXPECT_EQ(refused_line("small = 11"), "a2.toml:2: x.small = 11: must be in [1, 10]");
  EXPECT_EQ(refused_line("rate = 0"), "a2.toml:2: x.rate = 0: must be > 0");
  EXPECT_EQ(refused_line("clip = -1.5"), "a2.toml:2: x.clip = -1.5: must be >= 0");
  EXPECT_EQ(refused_line("scale = [0.5, 1.5]"), "a2.toml:2: x.scale = 1.5: must be in [0, 1]");
  EXPECT_EQ(refused_line("milestones = [1, 0]"), "a2.toml:2: x.milestones = 0: must be > 0");
  EXPECT_EQ(refused_line("length = \"0 epochs\""), "a2.toml:2: x.length = \"0 epochs\": must be > 0");
  EXPECT_EQ(refused_line("mode = \"bf61\""), "a2.toml:2: x.mode = \"bf61\": must be one of fp32, bf16 (did you mean bf16?)");
  EXPECT_EQ(refused_line("names = [\"a\", \"zebra\"]"), "a2.toml:2: x.names = \"zebra\": must be one of a, b");
  EXPECT_EQ(refusal([] { parse<Contrary>(table("\n\nmomentum = 1.5"), "optimizer.sgd"); }),
            "a2.toml:3: optimizer.sgd.momentum = 1.5: must be in [0, 1]");
}

TEST(Options, LimitsReadAsWords) {
  const auto text = [](Range range) {
    detail::Limits limits;
    limits.take(range);
    return limits.text();
  };
  EXPECT_EQ(text({0, 1, true, false}), "in (0, 1]");
  EXPECT_EQ(text({0, 0.5, false, true}), "in [0, 0.5)");
  EXPECT_EQ(text({-kInfinity, 2, false, true}), "< 2");
  EXPECT_EQ(text({-kInfinity, 2}), "<= 2");
  EXPECT_EQ(text({}), "");
}

TEST(Options, ContradictionsAreRefusedByValidate) {
  EXPECT_EQ(refusal([] { parse<Contrary>(table("\nnesterov = true"), "x"); }), "a2.toml:2: nesterov needs momentum");
  EXPECT_EQ(refusal([] { parse<Contrary>(table("nesterov = true\nmomentum = 0.9"), "x"); }), "no error");
}

TEST(Slots, AreReadAsTableOrBareName) {
  const Table t = table("a = \"bce\"\nb = { bce = { x = 1 } }\nc = {}");
  EXPECT_EQ(slot_of(*t.find("a"), "loss").name, "bce");
  EXPECT_EQ(to_toml(slot_of(*t.find("b"), "loss").options), "x = 1\n");
  EXPECT_TRUE(slot_of(*t.find("c"), "loss").empty());
}

TEST(Slots, AnythingElseIsRefused) {
  const auto refused_slot = [](const std::string& text) {
    return refusal([&] { slot_of(*parse_toml("loss = " + text, "a2.toml").find("loss"), "loss"); });
  };
  EXPECT_EQ(refused_slot("3"), "a2.toml:1: loss = 3: a thing with its options is needed: { name = { … } }");
  EXPECT_EQ(refused_slot("\"\""), "a2.toml:1: loss = \"\": a thing with its options is needed: { name = { … } }");
  EXPECT_EQ(refused_slot("{ bce = {}, cross_entropy = {} }"), "a2.toml:1: loss holds one thing, not both bce and cross_entropy");
  EXPECT_EQ(refused_slot("{ bce = 3 }"), "a2.toml:1: loss.bce = 3: options are needed: { bce = { … } }");
  const auto refused_list = [](const std::string& text) {
    return refusal([&] { slots_of(*parse_toml("augment = " + text, "a2.toml").find("augment"), "augment"); });
  };
  EXPECT_EQ(refused_list("{ hflip = {} }"), "a2.toml:1: augment = { hflip = {} }: a list is needed: [ … ]");
  EXPECT_EQ(refused_list("[\n\"hflip\",\n{}]"), "a2.toml:3: augment = {}: a thing in a list needs a name: { name = { … } }");
}

// ---- entries ----

struct Loss {
  virtual ~Loss() = default;
  virtual double value() const = 0;
};
struct Bce : Loss {
  struct Options {
    double target_threshold = 0;
    void fields(auto& f) { f("target_threshold", target_threshold, "targets above it become 1", kUnit); }
  };
  Bce(Options o, const int& c) : options(o), classes(c) {}
  double value() const override { return options.target_threshold + classes; }
  Options options;
  int classes;
};

TEST(Entries, AreFoundDescribedResolvedAndBuilt) {
  const std::vector<Entry<Loss, int>> losses{entry<Loss, Bce, int>("bce", "binary cross-entropy", "2110.00476 §2.2")};
  const Slot slot = slot_of(*table("loss = { bce = { target_threshold = 0.25 } }").find("loss"), "loss");
  const auto& found = find_entry(losses, slot, "loss");
  EXPECT_EQ(found.describe().at(0).name, "target_threshold");
  EXPECT_EQ(found.resolve(slot.options, "loss.bce").find("target_threshold")->origin, "a2.toml:1");
  EXPECT_EQ(found.build(slot.options, "loss.bce", 10)->value(), 10.25);
}

TEST(Entries, UnknownOnesAreRefusedWithASuggestion) {
  const std::vector<EntryInfo> losses{{"cross_entropy", "", "", {}, {}}, {"bce", "", "", {}, {}}};
  const auto refused_name = [&](const std::string& text) {
    return refusal([&] { find_entry(losses, slot_of(*table("\n\n\n\n\n\n\nloss = " + text).find("loss"), "loss"), "loss"); });
  };
  EXPECT_EQ(refused_name("{ bec = {} }"), "a2.toml:8: loss has no 'bec' (did you mean bce?)");
  EXPECT_EQ(refused_name("\"focal\""), "a2.toml:8: loss has no 'focal' (`satchel explain loss` lists what it may hold)");
  EXPECT_EQ(refused_name("{}"), "a2.toml:8: loss is empty; `satchel explain loss` lists what it may hold");
}

}  // namespace
}  // namespace satchel::recipe
