// satchel preview: what the network will see. Writes pictures as they are before normalisation, and the draws that made them.
// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <set>

#include "satchel/augment/augment.h"
#include "satchel/base/error.h"
#include "satchel/base/log.h"
#include "satchel/cli/command.h"
#include "satchel/cli/flags.h"
#include "satchel/data/data.h"
#include "satchel/image/image.h"
#include "satchel/predict/predict.h"
#include "satchel/train/train.h"
#include "satchel/weights/weights.h"

namespace satchel::cli {
namespace {

struct PreviewArguments {
  RecipeFlags flags;
  std::vector<std::string> paths;
  std::string recipe, weights, output, grid, trace, replay;
  bool eval = false;
};

struct View {
  augment::Pipeline pipeline;
  uint64_t seed = 0;
  bool apply_exif = false;
};

/// The evaluation view of weights or a recipe, or timm's defaults; the training view is the recipe's augment list and nothing else.
View view_of(const PreviewArguments& a) {
  recipe::Table root;
  if (!a.recipe.empty() || (!a.eval && a.weights.empty()))
    root = recipe::load(a.recipe.empty() ? "scratch" : a.recipe, train::grammar()).root;
  a.flags.apply(root);
  const train::PreviewOptions o = train::preview_options(root);
  weights::Card card = o.card;
  if (!a.weights.empty()) {
    const weights::File file(std::filesystem::is_directory(a.weights) ? Path(a.weights) / "best.safetensors" : Path(a.weights));
    card = weights::card_from(file.metadata(), a.weights);
    train::override_card(card, root);
  }
  View v;
  v.seed = o.seed, v.apply_exif = card.exif == "apply";
  v.pipeline = a.eval ? predict::evaluation_pipeline(card) : augment::Pipeline(o.augment, {card.mean});
  return v;
}

std::string unused_name(const std::string& file, std::set<std::string>& used) {
  std::string name = file;
  for (int n = 2; !used.insert(name).second; ++n) name = fmt::format("{}-{}", file, n);
  return name + ".png";
}

int run_preview(const PreviewArguments& a) {
  check(!a.paths.empty(), Kind::usage, "no pictures: satchel preview PATH… [--eval] [--output DIR]");
  check(a.weights.empty() || a.eval, Kind::usage, "--weights has no effect without --eval: the training view is the recipe's (--recipe)");
  check(a.replay.empty() || !a.eval, Kind::usage, "--replay has no effect beside --eval: nothing of the evaluation view is drawn");
  const View view = view_of(a);
  const data::Dataset pictures = data::open_for_prediction({a.paths.begin(), a.paths.end()});
  const std::optional<augment::TraceFile> replay = a.replay.empty() ? std::nullopt : std::optional<augment::TraceFile>(a.replay);
  for (int64_t i = 0; replay && i < pictures.size(); ++i)
    check(replay->of(pictures.reader->name(i)), Kind::data, "{}: {} has no line for it; remove the picture or add the line",
          pictures.reader->name(i), a.replay);
  const Path folder = a.output.empty() && a.grid.empty() && a.trace.empty() ? Path("preview") : Path(a.output);
  if (!folder.empty()) make_folder(folder);
  std::set<std::string> used;
  std::vector<image::Image> sheet;
  std::string trace_text;
  int64_t failed = 0;
  std::string first_failure;
  for (int64_t i = 0; i < pictures.size(); ++i) {
    const std::string name = pictures.reader->name(i);
    try {
      image::Picture picture = pictures.reader->open(i);
      if (view.apply_exif) picture.apply_orientation();
      augment::Trace drawn;
      const augment::Trace* recorded = replay ? replay->of(name) : nullptr;
      if (recorded) view.pipeline.replay(picture, *recorded), drawn = *recorded;
      if (!recorded) view.pipeline.run(picture, {view.seed, 0, static_cast<uint64_t>(i), 0, 0}, 0, &drawn);
      image::Image result = picture.render();
      if (!folder.empty()) write_atomic(folder / unused_name(Path(name).filename().string(), used), image::encode_png(result));
      if (!a.grid.empty()) sheet.push_back(std::move(result));
      if (!a.trace.empty()) trace_text += augment::to_json({name, {}, {}, 0, drawn}) + "\n";
    } catch (const Error& error) {
      if (error.kind() != Kind::data) throw;
      const std::string why = error.what();
      const std::string line = why.rfind(name, 0) == 0 ? why : name + ": " + why;
      if (failed++ == 0) first_failure = line;
      log::warn("{}", line);
    }
  }
  check(failed < pictures.size(), Kind::data, "no picture could be read: {}", first_failure);
  if (!a.trace.empty()) write_atomic(a.trace, trace_text);
  if (!a.grid.empty()) write_atomic(a.grid, image::encode_png(image::contact_sheet(sheet, 8, {160, 160})));
  print(fmt::format("{} pictures{}{}{}\n", pictures.size() - failed, folder.empty() ? "" : " in " + folder.string(),
                    a.grid.empty() ? "" : ", sheet " + a.grid, a.trace.empty() ? "" : ", draws " + a.trace));
  return 0;
}

}  // namespace

Command preview_command() {
  auto a = std::make_shared<PreviewArguments>();
  Command c{"preview", "write pictures as the network will see them",
            {},        [a] { return run_preview(*a); },
            false,     [a](const std::string& assignment) { a->flags.assign(assignment); }};
  c.arguments = {{"paths", &a->paths, "pictures or folders", "PATH"},
                 {"--eval", &a->eval, "the evaluation view; the training view (the augment list) when absent"},
                 {"-c,--recipe", &a->recipe, "recipe whose views are shown", "RECIPE"},
                 {"--weights", &a->weights, "take the evaluation view of these weights or run", "FILE|RUN"},
                 {"--output", &a->output, "folder for the PNG files (preview when neither it, --grid nor --trace is given)", "DIR"},
                 {"--grid", &a->grid, "one sheet with all pictures", "FILE"},
                 {"--trace", &a->trace, "write the draws, a JSON line per picture", "FILE"},
                 {"--replay", &a->replay, "recorded draws in place of chance", "FILE"}};
  for (Argument& argument : a->flags.arguments()) c.arguments.push_back(argument);
  return c;
}

}  // namespace satchel::cli
