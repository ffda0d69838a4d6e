// The merging rules and --set: laws, origins, and the exact words of what is refused.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "tests/recipe/expect.h"

namespace satchel::recipe {
namespace {

const char* const kBase =
    "model = { resnet50 = { drop_path = 0.05 } }\n"
    "augment = [ { resize = { size = 224 } }, { hflip = {} }, \"hflip\", \"lighting\" ]\n"
    "loss = { bce = { target_threshold = 0.2, reduction = \"sum\" } }\n"
    "[train]\nlength = \"300 epochs\"\nbatch = 2048\n"
    "[evaluate]\naugment = [ { resize = { size = 256 } }, \"center_crop\" ]\n";

Table base() { return shaped(kBase, "base.toml"); }

/// kBase with `text` merged onto it.
Table merged(const std::string& text) {
  Table table = base();
  merge(table, parse_toml(text, "child.toml"), test_grammar());
  return table;
}

/// Text of the value at a path.
std::string at(const Table& root, std::string_view path) {
  const Value* value = get(root, path, test_grammar());
  return value ? to_toml(*value) : "absent";
}
std::string origin(const Table& root, std::string_view path) { return get(root, path, test_grammar())->origin; }

std::string refused_merge(const std::string& text) {
  return refusal([&] { merged(text); });
}
/// kBase after --set.
Table with(const std::string& assignment) {
  Table table = base();
  set(table, assignment, test_grammar());
  return table;
}
/// The refusal of --set, which must leave the recipe as it was.
std::string refused_set(const std::string& assignment) {
  Table table = base();
  const std::string message = refusal([&] { set(table, assignment, test_grammar()); });
  EXPECT_EQ(to_toml(table), to_toml(base())) << assignment;
  return message;
}

TEST(Merge, TheSameNameMergesItsOptions) {
  const Table table = merged("\nloss = { bce = { target_threshold = 0.5 } }");
  EXPECT_EQ(at(table, "loss"), "{ bce = { reduction = \"sum\", target_threshold = 0.5 } }");
  EXPECT_EQ(origin(table, "loss.bce.target_threshold"), "child.toml:2");
  EXPECT_EQ(origin(table, "loss.bce.reduction"), "base.toml:3");
  EXPECT_EQ(origin(table, "loss.bce"), "child.toml:2");
  EXPECT_EQ(at(merged("loss = \"bce\""), "loss"), at(base(), "loss"));
}

TEST(Merge, ALaterOptionDropsTheEarlierOnesThatSayTheSameOtherwise) {
  Grammar grammar = test_grammar();
  grammar.displaces = {{"reduction", {"target_threshold"}}};
  const auto after = [&](const std::string& text) {
    Table table = base();
    merge(table, parse_toml(text, "child.toml"), grammar);
    return at(table, "loss.bce");
  };
  EXPECT_EQ(after("loss = { bce = { reduction = \"mean\" } }"), "{ reduction = \"mean\" }");
  EXPECT_EQ(after("loss = { bce = { target_threshold = 0.5 } }"), "{ reduction = \"sum\", target_threshold = 0.5 }");
  EXPECT_EQ(after("loss = { bce = { reduction = \"mean\", target_threshold = 0.5 } }"), "{ reduction = \"mean\", target_threshold = 0.5 }")
      << "one layer that says both is for validation";
  Table table = base();
  set(table, "loss.bce.reduction=mean", grammar);
  EXPECT_EQ(at(table, "loss.bce"), "{ reduction = \"mean\" }");
  table = base();
  set(table, "loss.bce.target_threshold=0.5", grammar);
  set(table, "loss.bce.reduction=mean", grammar);
  EXPECT_NE(get(table, "loss.bce.target_threshold", grammar), nullptr) << "two flags that contradict each other both stay";
}

TEST(Merge, AnotherNameReplacesTheThing) {
  EXPECT_EQ(at(merged("loss = { cross_entropy = {} }"), "loss"), "{ cross_entropy = {} }");
  EXPECT_EQ(at(merged("loss = \"cross_entropy\""), "loss"), "{ cross_entropy = {} }");
  EXPECT_EQ(at(merged("loss = {}"), "loss"), "{}");
  EXPECT_EQ(at(merged("ema = { exponential = { decay = 0.9 } }"), "ema.exponential.decay"), "0.9");
}

TEST(Merge, AListIsReplacedWhole) {
  EXPECT_EQ(at(merged("augment = [ \"resize\" ]"), "augment"), "[{ resize = {} }]");
  EXPECT_EQ(at(merged("augment = []"), "augment"), "[]");
  EXPECT_EQ(at(merged("[evaluate]\naugment = [ \"resize\" ]"), "evaluate.augment"), "[{ resize = {} }]");
}

TEST(Merge, TablesMergeByKey) {
  const Table table = merged("[train]\nbatch = 64\nprecision = \"bf16\"");
  EXPECT_EQ(at(table, "train"), "{ batch = 64, length = \"300 epochs\", precision = \"bf16\" }");
  EXPECT_EQ(origin(table, "train.batch"), "child.toml:2");
  EXPECT_EQ(origin(table, "train.length"), "base.toml:5");
}

TEST(Merge, AThingInsideAThingFollowsTheSameRules) {
  const std::string parent = "loss = { distillation = { weight = 0.5, hard = { bce = { x = 1, y = 2 } } } }";
  const auto child = [&](const std::string& hard) {
    Table table = shaped(parent);
    merge(table, shaped("loss = { distillation = { hard = " + hard + " } }"), test_grammar());
    return at(table, "loss.distillation");
  };
  EXPECT_EQ(child("{ bce = { y = 3 } }"), "{ hard = { bce = { x = 1, y = 3 } }, weight = 0.5 }");
  EXPECT_EQ(child("{ cross_entropy = {} }"), "{ hard = { cross_entropy = {} }, weight = 0.5 }");
}

TEST(Merge, ObeysItsLaws) {
  const Table whole = base();
  EXPECT_EQ(to_toml(merged(kBase)), to_toml(whole)) << "onto itself";
  EXPECT_EQ(to_toml(merged("")), to_toml(whole)) << "nothing";
  Table empty;
  merge(empty, whole, test_grammar());
  EXPECT_EQ(to_toml(empty), to_toml(whole)) << "onto nothing";
  const std::string one = "loss = { bce = { a = 1 } }\n[train]\nbatch = 1", two = "loss = { bce = { a = 2, b = 3 } }\nmix = []";
  Table left = merged(one);
  merge(left, shaped(two), test_grammar());
  Table right = shaped(one);
  merge(right, shaped(two), test_grammar());
  EXPECT_EQ(to_toml(left), to_toml(merged(to_toml(right)))) << "associative";
}

TEST(Merge, RefusesWhatTheGrammarDoesNotHold) {
  EXPECT_EQ(refused_merge("\n\noptimzer = {}"), "child.toml:3: a recipe has no 'optimzer' (did you mean optimizer?)");
  EXPECT_EQ(
      refused_merge("zzz = 1"),
      "child.toml:1: a recipe has no 'zzz' (it has model, loss, optimizer, schedule, ema, augment, mix, data, sampler, train, evaluate)");
  EXPECT_EQ(refused_merge("train = 5"), "child.toml:1: train = 5: a table is needed: [train]");
  EXPECT_EQ(refused_merge("loss = 5"), "child.toml:1: loss = 5: a thing with its options is needed: { name = { … } }");
  EXPECT_EQ(refused_merge("augment = \"hflip\""), "child.toml:1: augment = \"hflip\": a list is needed: [ … ]");
  EXPECT_EQ(refused_merge("[evaluate]\naugment = 1"), "child.toml:2: evaluate.augment = 1: a list is needed: [ … ]");
}

TEST(Set, ChangesOneOption) {
  EXPECT_EQ(at(with("loss.bce.target_threshold=0.5"), "loss"), "{ bce = { reduction = \"sum\", target_threshold = 0.5 } }");
  EXPECT_EQ(at(with(" train.batch = 64 "), "train.batch"), "64");
  EXPECT_EQ(at(with("sampler.repeats=3"), "sampler"), "{ repeats = 3 }");
  EXPECT_EQ(origin(with("train.batch=64"), "train.batch"), "--set");
  EXPECT_EQ(origin(with("sampler.repeats=3"), "sampler"), "--set");
  EXPECT_EQ(origin(with("train.batch=64"), "train.length"), "base.toml:5");
  Table table = base();
  set(table, {"train", "batch"}, Value(int64_t{64}, "--batch-size"), test_grammar());
  EXPECT_EQ(origin(table, "train.batch"), "--batch-size");
}

TEST(Set, TakesTomlElseText) {
  EXPECT_EQ(at(with("train.x=bf16"), "train.x"), "\"bf16\"");
  EXPECT_EQ(at(with("train.x=10 epochs"), "train.x"), "\"10 epochs\"");
  EXPECT_EQ(at(with("train.x=\"64\""), "train.x"), "\"64\"");
  EXPECT_EQ(at(with("train.x=true"), "train.x"), "true");
  EXPECT_EQ(at(with("train.x=5e-3"), "train.x"), "0.005");
  EXPECT_EQ(at(with("train.x=[0.08, 1]"), "train.x"), "[0.08, 1]");
  EXPECT_EQ(at(with("train.x="), "train.x"), "\"\"");
  EXPECT_EQ(at(with("train.x=a=b"), "train.x"), "\"a=b\"");
  EXPECT_EQ(at(with("train.x=2020-01-01"), "train.x"), "\"2020-01-01\"");
  EXPECT_EQ(at(with("train.x=1\nw = 2"), "train.x"), "\"1\\nw = 2\"");
  EXPECT_EQ(refused_set("train.x=[1, 2").substr(0, 24), "--set train.x=[1, 2:1: E");
}

TEST(Set, ReplacesOrMergesAWholeSlot) {
  EXPECT_EQ(at(with("loss={bce={target_threshold=1}}"), "loss"), "{ bce = { reduction = \"sum\", target_threshold = 1 } }");
  EXPECT_EQ(at(with("loss={cross_entropy={}}"), "loss"), "{ cross_entropy = {} }");
  EXPECT_EQ(at(with("loss=cross_entropy"), "loss"), "{ cross_entropy = {} }");
  EXPECT_EQ(at(with("loss={}"), "loss"), "{}");
  EXPECT_EQ(at(with("loss.bce={target_threshold=1}"), "loss"), "{ bce = { reduction = \"sum\", target_threshold = 1 } }");
  EXPECT_EQ(at(with("train={batch=1}"), "train"), "{ batch = 1, length = \"300 epochs\" }");
  EXPECT_EQ(at(with("augment=[{resize={size=1}}, \"hflip\"]"), "augment"), "[{ resize = { size = 1 } }, { hflip = {} }]");
}

TEST(Set, FillsAnEmptySlot) {
  EXPECT_EQ(at(with("optimizer.lamb.lr=0.005"), "optimizer"), "{ lamb = { lr = 0.005 } }");
  EXPECT_EQ(at(with("optimizer.lamb={lr=0.005}"), "optimizer"), "{ lamb = { lr = 0.005 } }");
  EXPECT_EQ(origin(with("optimizer.lamb.lr=0.005"), "optimizer.lamb"), "--set");
}

TEST(Set, NamesWhatTheSlotHolds) {
  EXPECT_EQ(refused_set("model.resnet18.drop_path=0.1"), "--set: model holds resnet50, not resnet18; to replace it: model=resnet18");
  EXPECT_EQ(refused_set("model.resnet18={}"), "--set: model holds resnet50, not resnet18; to replace it: model=resnet18");
  EXPECT_EQ(refused_set("loss.bce=1"), "--set: loss.bce = 1: a table of options is needed: { … }");
  EXPECT_EQ(refused_set("loss.bce.target_threshold.x=1"), "--set: loss.bce.target_threshold is a number and has no options");
  EXPECT_EQ(refused_set("train.batch.x=1"), "--set: train.batch is a whole number and has no options");
}

TEST(Set, ReachesIntoListsByName) {
  EXPECT_EQ(at(with("augment.resize.size=64"), "augment.resize.size"), "64");
  EXPECT_EQ(at(with("augment.lighting.std=0.1"), "augment.lighting"), "{ std = 0.1 }");
  EXPECT_EQ(at(with("augment.resize={sides=\"both\"}"), "augment.resize"), "{ sides = \"both\", size = 224 }");
  EXPECT_EQ(at(with("evaluate.augment.center_crop.size=64"), "evaluate.augment.center_crop.size"), "64");
  EXPECT_EQ(at(with("evaluate.augment=[]"), "evaluate.augment"), "[]");
  EXPECT_EQ(refused_set("augment.hflip.p=1"), "--set: augment holds hflip twice; write the whole list instead");
  EXPECT_EQ(refused_set("augment.rotate.p=1"), "--set: augment holds resize, hflip, hflip, lighting, not rotate");
  EXPECT_EQ(refused_set("mix.mixup.alpha=1"), "--set: mix holds nothing, not mixup");
  EXPECT_EQ(refused_set("evaluate.augment.hflip.p=1"), "--set: evaluate.augment holds resize, center_crop, not hflip");
}

TEST(Set, ReachesAThingInsideAThing) {
  const auto with_inner = [](const std::string& assignment) {
    Table table = shaped("loss = { distillation = { hard = \"bce\", list = [ \"a\" ] } }");
    set(table, assignment, test_grammar());
    return at(table, "loss.distillation");
  };
  EXPECT_EQ(with_inner("loss.distillation.hard.bce.x=1"), "{ hard = { bce = { x = 1 } }, list = [\"a\"] }");
  EXPECT_EQ(with_inner("loss.distillation.list.a.x=1"), "{ hard = \"bce\", list = [{ a = { x = 1 } }] }");
  EXPECT_EQ(with_inner("loss.distillation.soft.kl.t=2"), "{ hard = \"bce\", list = [\"a\"], soft = { kl = { t = 2 } } }");
}

TEST(Set, RefusesPathsThatAreNone) {
  EXPECT_EQ(refused_set("train.batch"), "--set: 'train.batch' lacks its value: --set slot.name.option=value");
  EXPECT_EQ(refused_set("train..batch=1"), "--set: 'train..batch': a path such as loss.bce.target_threshold is needed");
  EXPECT_EQ(refused_set("=1"), "--set: '': a path such as loss.bce.target_threshold is needed");
  EXPECT_EQ(refused_set("trian.batch=1"), "--set: a recipe has no 'trian' (did you mean train?)");
  Table table = base();
  EXPECT_EQ(refusal([&] { set(table, "trian.batch=1", test_grammar(), "-o"); }), "-o: a recipe has no 'trian' (did you mean train?)");
}

TEST(Rename, KeepsTheOptions) {
  Table table = base();
  rename(table, "model", "resnet18", "--model");
  EXPECT_EQ(at(table, "model"), "{ resnet18 = { drop_path = 0.05 } }");
  EXPECT_EQ(origin(table, "model.resnet18"), "--model");
  EXPECT_EQ(origin(table, "model.resnet18.drop_path"), "base.toml:1");
  rename(table, "optimizer", "sgd", "--opt");
  EXPECT_EQ(at(table, "optimizer"), "{ sgd = {} }");
}

TEST(Get, FindsWhatIsThere) {
  const Table table = base();
  EXPECT_EQ(at(table, "loss.bce.target_threshold"), "0.2");
  EXPECT_EQ(at(table, "augment.resize.size"), "224");
  EXPECT_EQ(at(table, "evaluate.augment.resize"), "{ size = 256 }");
  for (const char* path : {"loss.bce.x", "loss.cross_entropy", "mix", "augment.rotate", "train.batch.x", "train.", "sampler.repeats"})
    EXPECT_EQ(get(table, path, test_grammar()), nullptr) << path;
  EXPECT_EQ(refusal([&] { get(table, "augment.hflip.p", test_grammar()); }), "augment holds hflip twice; write the whole list instead");
  EXPECT_EQ(refusal([&] { get(table, "los.bce", test_grammar()); }), "a recipe has no 'los' (did you mean loss?)");
}

}  // namespace
}  // namespace satchel::recipe
