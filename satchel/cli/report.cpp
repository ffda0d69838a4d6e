// satchel report: one page about a run, or several runs side by side.
// SPDX-License-Identifier: Apache-2.0
#include "satchel/report/report.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>

#include "satchel/augment/augment.h"
#include "satchel/base/error.h"
#include "satchel/base/log.h"
#include "satchel/cli/command.h"
#include "satchel/data/data.h"
#include "satchel/image/image.h"
#include "satchel/recipe/recipe.h"
#include "satchel/train/train.h"

namespace satchel::cli {
namespace {

struct ReportArguments {
  std::vector<std::string> runs;
  std::string data, output;
  int mistakes = 24;
};

/// What the run says otherwise than the recipe it was started from, or than that one's parent where it was a file of its own.
void compare_with_recipe(const report::RunFiles& run, const recipe::Table& resolved, report::PageParts& parts) {
  for (const char* key : {"recipe", "recipe_parent"}) {
    const std::string name = run.environment_at(key);
    if (name.empty() || recipe::builtin_path(name).empty()) continue;
    parts.parent = name;
    for (const recipe::Difference& d : recipe::diff(train::resolve(recipe::load(name, train::grammar()).root), resolved))
      parts.changes.push_back({d.path, {d.a, d.b}});
    return;
  }
}

/// A picture of at most `side` pixels a side. What had to be shrunk is a photograph and becomes a JPEG; a small one is enlarged by whole
/// pixels, so that it can be looked at, and stays as it is.
Bytes thumbnail(image::Image image, int side) {
  const image::Size size = image.size;
  const int longest = std::max(size.width, size.height);
  if (longest * 2 <= side) {
    const int times = side / longest;
    return image::encode_png(image::resize(image, {size.width * times, size.height * times}, image::Interpolation::nearest));
  }
  if (longest <= side) return image::encode_png(image);
  const auto shrunk = [&](int length) { return std::max(1, static_cast<int>(static_cast<double>(length) * side / longest + 0.5)); };
  return image::encode_jpeg(image::resize(image, {shrunk(size.width), shrunk(size.height)}, image::Interpolation::bilinear), 88);
}

/// The wrong answers that the network was surest of, each with its picture, turned by its EXIF orientation where the run did so.
void add_mistakes(const report::RunFiles& run, const data::Dataset& val, int limit, bool oriented, report::PageParts& parts) {
  std::vector<const report::PredictionRow*> wrong;
  for (const report::PredictionRow& p : run.predictions)
    if (p.truth != p.answer) wrong.push_back(&p);
  // A network that diverged is sure of nothing: its answers come last.
  const auto sure = [](const report::PredictionRow* p) { return std::isnan(p->probability) ? -1 : p->probability; };
  std::stable_sort(wrong.begin(), wrong.end(), [&](const auto* a, const auto* b) { return sure(a) > sure(b); });
  wrong.resize(std::min<size_t>(wrong.size(), static_cast<size_t>(limit)));
  std::map<std::string, int64_t> item;
  for (const int64_t i : val.items) item[val.reader->name(i)] = i;
  for (const report::PredictionRow* p : wrong) {
    const auto at = item.find(p->filename);
    if (at == item.end()) continue;
    image::Picture picture = val.reader->open(at->second);
    if (oriented) picture.apply_orientation();
    parts.mistakes.push_back({p->truth + " taken for " + p->answer, fmt::format("{:.1f} % sure · {}", 100 * p->probability, p->filename),
                              thumbnail(picture.render(), 192)});
  }
}

/// Some training pictures, and what each of the first epochs makes of them.
void add_sheet(const recipe::Table& resolved, const data::Dataset& training, report::PageParts& parts) {
  constexpr int64_t kPictures = 8, kDraws = 5;
  constexpr int kSide = 112;
  const train::PreviewOptions options = train::preview_options(resolved);
  const augment::Pipeline pipeline(options.augment, {options.card.mean});
  if (pipeline.size() == 0) return;
  const int64_t shown = std::min<int64_t>(kPictures, training.size());
  for (int64_t i = 0; i < shown; ++i) {
    const int64_t k = i * training.size() / shown;
    const auto opened = [&] {
      image::Picture picture = training.reader->open(training.items[static_cast<size_t>(k)]);
      if (options.card.exif == "apply") picture.apply_orientation();
      return picture;
    };
    try {
      std::vector<Bytes> row = {thumbnail(opened().render(), kSide)};
      for (int64_t epoch = 0; epoch < kDraws; ++epoch) {
        image::Picture picture = opened();
        pipeline.run(picture, {options.seed, static_cast<uint32_t>(epoch), static_cast<uint64_t>(k), 0, 0});
        row.push_back(thumbnail(picture.render(), kSide));
      }
      parts.sheet.push_back(std::move(row));
    } catch (const Error&) {
      continue;  // a broken picture is no reason to show none
    }
  }
}

/// Pictures are looked for where the run was trained; a page without them is better than none.
void add_pictures(const Path& folder, const ReportArguments& a, const report::RunFiles& run, const recipe::Table& resolved,
                  report::PageParts& parts) {
  const std::string where = a.data.empty() ? run.environment_at("data") : a.data;
  try {
    const recipe::Value* table = resolved.find("data");
    const auto options = recipe::parse<data::DataOptions>(table && table->table() ? *table->table() : recipe::Table(), "data");
    const uint64_t seed = train::preview_options(resolved).seed;
    const data::Data data = data::open_for_training(where, options, seed, train::held_out_of(folder));
    add_mistakes(run, data.val, a.mistakes, options.exif == "apply", parts);
    add_sheet(resolved, data.train, parts);
  } catch (const Error& error) {
    log::warn("the page has no pictures: {} (--data DIR says where they are)", error.what());
  }
}

int run_report(const ReportArguments& a) {
  check(!a.runs.empty(), Kind::usage, "no run: satchel report RUN [RUN…]");
  check(a.mistakes >= 0, Kind::usage, "--mistakes {}: give 0 or more", a.mistakes);
  std::vector<report::RunFiles> runs;
  std::map<std::string, int> names;
  for (const std::string& run : a.runs) ++names[runs.emplace_back(report::read_run(run)).name];
  check(runs.size() == 1 || a.data.empty(), Kind::usage, "--data has no effect: pages of several runs show no pictures");
  for (size_t i = 0; i < runs.size(); ++i)
    for (size_t k = 0; k < i; ++k)
      check(!std::filesystem::equivalent(a.runs[k], a.runs[i]), Kind::usage, "{} and {} are the same run; name each once", a.runs[k],
            a.runs[i]);
  for (size_t i = 0; i < runs.size(); ++i)
    if (names[runs[i].name] > 1) runs[i].name = a.runs[i];
  const Path output = !a.output.empty() ? Path(a.output) : runs.size() == 1 ? Path(a.runs.front()) / "report.html" : Path("report.html");
  if (runs.size() == 1) {
    const recipe::Table resolved = recipe::parse_toml(runs[0].recipe, a.runs[0] + "/recipe.toml");
    report::PageParts parts;
    compare_with_recipe(runs[0], resolved, parts);
    add_pictures(a.runs[0], a, runs[0], resolved, parts);
    write_atomic(output, report::run_page(runs[0], parts));
  } else {
    write_atomic(output, report::comparison_page(runs));
  }
  print(output.string() + "\n");
  return 0;
}

}  // namespace

Command report_command() {
  auto a = std::make_shared<ReportArguments>();
  Command c{"report", "write a page about a run, or one that compares several", {}, [a] { return run_report(*a); }, false, {}};
  c.arguments = {{"runs", &a->runs, "run folders; with several, each is compared with the first", "RUN"},
                 {"--output", &a->output, "where the page goes; report.html in the run when absent", "FILE"},
                 {"--data,--data-dir", &a->data, "where the pictures are, if they have moved", "DIR"},
                 {"--mistakes", &a->mistakes, "how many of the most confident mistakes are shown", "N"}};
  return c;
}

}  // namespace satchel::cli
