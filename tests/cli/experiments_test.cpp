// The tables inside the program: every run that they ask for is a recipe that holds, and the small ones keep the rules of their scale.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <set>

#include "satchel/base/error.h"
#include "satchel/experiment/experiment.h"
#include "satchel/nn/nn.h"
#include "satchel/recipe/recipe.h"
#include "satchel/train/plan.h"

namespace satchel::cli {
namespace {

/// The recipe of a run; its teacher is a run too, and not there yet.
recipe::Table resolved(const experiment::Job& job) {
  recipe::Recipe recipe = recipe::load(job.recipe, train::grammar());
  for (const std::string& setting : job.set)
    if (!setting.starts_with("loss.distillation.teacher=")) recipe::set(recipe.root, setting, train::grammar());
  return train::resolve(recipe.root);
}

/// Each run of a table at a scale once, whatever rows share it.
std::vector<experiment::Job> runs(const experiment::Experiment& table, const std::string& scale) {
  std::vector<experiment::Job> out;
  std::set<std::string> seen;
  for (const experiment::Job& job : experiment::jobs(table, table.scales.at(scale), 1))
    if (seen.insert(job.key).second) out.push_back(job);
  return out;
}

TEST(Experiments, EveryFigureOfAPaperSaysHowCertainItIs) {
  for (const std::string& name : experiment::names()) {
    for (const experiment::Row& row : experiment::load(name).rows) {
      for (const auto& [column, figure] : row.paper) EXPECT_FALSE(figure.mark.empty()) << name << ": " << row.name << ", " << column;
      for (const auto& [test, figures] : row.paper_tests)
        for (const auto& [column, figure] : figures) EXPECT_FALSE(figure.mark.empty()) << name << ": " << row.name << ", " << test;
    }
  }
}

TEST(Experiments, TheTablesOfStrikesBackAreThere) {
  EXPECT_THAT(experiment::names(), ::testing::IsSupersetOf({"rsb-fig1", "rsb-fig2", "rsb-fig3", "rsb-fig4", "rsb-fig5", "rsb-fig6",
                                                            "rsb-fig7", "rsb-fig8", "rsb-losses", "rsb-ablation"}));
}

TEST(Experiments, TheTablesOfBagOfTricksAreThere) {
  EXPECT_THAT(experiment::names(),
              ::testing::IsSupersetOf({"bot-table1", "bot-table2", "bot-table3", "bot-table4", "bot-table5", "bot-table6", "bot-table7"}));
}

/// A3 of ResNet strikes back is trained at 160 and judged at 224.
bool trained_smaller(const experiment::Job& job) { return job.row == "A3"; }

TEST(Experiments, EveryRunIsARecipeThatHolds) {
  for (const std::string& name : experiment::names()) {
    const experiment::Experiment table = experiment::load(name);
    for (const auto& [scale_name, scale] : table.scales) {
      for (const experiment::Job& job : runs(table, scale_name)) {
        SCOPED_TRACE(fmt::format("{} {}: {} {}", name, scale_name, job.row, job.column));
        const recipe::Table root = resolved(job);
        const train::Pipelines pipelines = train::make_pipelines(root);
        if (!trained_smaller(job)) {
          EXPECT_EQ(pipelines.train_size.width, pipelines.card.img_size) << "trained and judged at different sizes";
        }
        EXPECT_GT(nn::build_model(train::slot(root, "model"), {.weights = false})
                      ->shape({pipelines.train_size.height, pipelines.train_size.width})
                      .macs,
                  0);
        EXPECT_EQ(train::slot(root, "loss").name == "distillation", !job.teacher.empty());
      }
    }
  }
}

/// At least 12 epochs; 64 and 256 stand for 256 and 1024 by one linear rule; all durations by one factor.
TEST(Experiments, SmallScalesKeepTheirRules) {
  int looked_at = 0;
  for (const std::string& name : experiment::names()) {
    if (!name.starts_with("bot-table")) continue;
    const experiment::Experiment table = experiment::load(name);
    for (const char* scale_name : {"small", "medium"}) {
      const experiment::Scale& scale = table.scales.at(scale_name);
      EXPECT_EQ(scale.parallel, 2) << name;
      EXPECT_EQ(scale.floor, 60) << name;
      std::set<double> factors;
      for (const experiment::Job& job : runs(table, scale_name)) {
        SCOPED_TRACE(fmt::format("{} {}: {} {}", name, scale_name, job.row, job.column));
        const recipe::Table root = resolved(job);
        const train::Options options = train::options_of(root);
        EXPECT_TRUE(options.train.batch == 64 || options.train.batch == 256) << options.train.batch;
        EXPECT_GE(options.train.length.amount, 12);
        const auto base = [&](const char* option) {
          return recipe::to_toml(*recipe::get(root, std::string("optimizer.sgd.") + option, train::grammar()));
        };
        EXPECT_EQ(base("lr_base"), "0.1");
        EXPECT_EQ(base("lr_base_size"), "128.0");
        const bool mixed = !train::list_slot(root, "mix").empty();
        factors.insert(std::round(1e6 * options.train.length.amount / (mixed ? 200 : 120)));
        const std::string schedule = train::slot(root, "schedule").name;
        const std::string warmup = recipe::to_toml(*recipe::get(root, "schedule." + schedule + ".warmup", train::grammar()));
        if (const double epochs = std::stod(warmup.substr(1)); epochs > 0) factors.insert(std::round(1e6 * epochs / 5));
        ++looked_at;
      }
      EXPECT_EQ(factors.size(), 1u) << name << " " << scale_name << ": durations by one factor; " << ::testing::PrintToString(factors);
    }
  }
  EXPECT_GT(looked_at, 60);
}

/// Lengths of a table's runs at a scale by row and column, in epochs.
std::map<std::pair<std::string, std::string>, double> lengths(const experiment::Experiment& table, const std::string& scale) {
  std::map<std::pair<std::string, std::string>, double> out;
  for (const experiment::Job& job : experiment::jobs(table, table.scales.at(scale), 1))
    out[{job.row, job.column}] = train::options_of(resolved(job)).train.length.amount;
  return out;
}

/// Top-1 that the first row of a table must reach at a scale.
double floor_of(const std::string& name, const std::string& scale) {
  if (name == "rsb-fig7") return 40;  // clothes are harder than CIFAR-10
  if (name == "rsb-fig8") return 30;  // a transformer that sees four patches
  return name == "rsb-ablation" && scale == "small" ? 45 : 60;
}

TEST(Experiments, SmallScalesOfStrikesBackShortenEveryRunByOneFactor) {
  for (const std::string& name : experiment::names()) {
    if (!name.starts_with("rsb-")) continue;
    const experiment::Experiment table = experiment::load(name);
    const auto full = lengths(table, "full");
    for (const auto& [scale_name, factor] : {std::pair{"small", 0.1}, {"medium", 0.2}}) {
      const experiment::Scale& scale = table.scales.at(scale_name);
      EXPECT_EQ(scale.parallel, 2) << name;
      if (table.rows.size() > 1) {
        EXPECT_EQ(scale.floor, floor_of(name, scale.name)) << name;
      }
      for (const auto& [place, length] : lengths(table, scale_name)) {
        if (name == "rsb-fig7" && !place.second.empty()) continue;  // the procedures are those of the teachers
        EXPECT_NEAR(length / full.at(place), factor, 1e-9) << name << " " << scale_name << ": " << place.first << " " << place.second;
      }
    }
  }
}

/// Networks with and without residuals share the rows of table 3, and zero γ reaches the one that has it.
TEST(Experiments, EfficientTrainingStartsResNetsFromZeroGamma) {
  std::vector<std::string> zero;
  for (const char* scale : {"small", "medium", "full"})
    for (const experiment::Job& job : runs(experiment::load("bot-table3"), scale)) {
      const recipe::Table root = resolved(job);
      const recipe::Slot model = train::slot(root, "model");
      if (job.column == "ResNet-50") zero.push_back(job.row + " " + recipe::to_toml(*model.options.find("zero_init_last")));
    }
  EXPECT_THAT(zero, ::testing::ElementsAre("Baseline false", "Efficient true", "Baseline false", "Efficient true", "Baseline false",
                                           "Efficient true"));
}

/// Figures of the paper as the dossier has them, and the increments between rows.
TEST(Experiments, ThePapersFiguresStandInTheirRows) {
  const auto paper = [](const char* table, const char* row, const char* column) {
    return experiment::load(table).row(row).paper.at(column).value;
  };
  EXPECT_EQ(paper("bot-table4", "Linear scaling", "B=1024"), 75.17);
  EXPECT_EQ(paper("bot-table4", "+ fp16", "B=256"), 76.15);
  EXPECT_EQ(paper("bot-table5", "ResNet-50-D", "top-1"), 77.16);
  EXPECT_EQ(paper("bot-table6", "+ distill w/ mixup", "ResNet-50-D"), 79.29);
  EXPECT_EQ(paper("bot-table6", "+ distill w/o mixup", "MobileNet"), 71.97);
  EXPECT_EQ(paper("bot-table1", "ResNet-50 + tricks", "top-1"), 79.29);
  EXPECT_EQ(paper("bot-table7", "ResNet-50-D Best", "validation"), 56.70);
  EXPECT_EQ(paper("rsb-fig1", "A1", "top-1"), 80.4);
  EXPECT_EQ(paper("rsb-fig1", "FAMS × 4, 400 epochs", "top-1"), 79.5);
  EXPECT_EQ(paper("rsb-fig2", "A3", "top-1"), 78.1);
  EXPECT_EQ(paper("rsb-fig3", "A2", "ResNet-152"), 81.8);
  EXPECT_EQ(paper("rsb-fig3", "A3", "ViT-Ti"), 66.7);
  EXPECT_EQ(paper("rsb-fig7", "A2", "iNat-19"), 75.0);
  const auto tests = experiment::load("rsb-fig4").row("A1").paper_tests;
  EXPECT_EQ(tests.at("ReaL").at("ResNet-50").value, 85.7);
  EXPECT_EQ(tests.at("V2").at("ViT-S").value, 69.4);
}

}  // namespace
}  // namespace satchel::cli
