// satchel val and predict: a trained network is judged, or answers.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>

#include "satchel/base/error.h"
#include "satchel/base/log.h"
#include "satchel/base/threads.h"
#include "satchel/cli/command.h"
#include "satchel/data/data.h"
#include "satchel/predict/predict.h"
#include "satchel/train/train.h"
#include "satchel/weights/weights.h"

namespace satchel::cli {
namespace {

struct NetworkArguments {
  std::string weights, model, device = "auto", class_order, bad_files;
  std::optional<int> img_size, threads;
  std::optional<double> crop_pct;
  std::optional<std::string> interpolation, exif, mirror;
  int batch = 128;

  /// Throws Error(usage) for numbers that mean nothing.
  predict::ClassifierOptions options() const {
    check(batch >= 1, Kind::usage, "--batch-size {}: give 1 or more pictures at a time", batch);
    check(threads.value_or(1) >= 1, Kind::usage, "--threads {}: give 1 or more, or leave it out for all cores", threads.value_or(1));
    predict::ClassifierOptions o;
    o.model = model, o.device = device, o.threads = threads.value_or(0), o.batch = batch;
    o.img_size = img_size, o.crop_pct = crop_pct, o.interpolation = interpolation, o.exif = exif;
    if (mirror) o.mirror = *mirror == "yes";
    return o;
  }
  std::vector<Argument> arguments() {
    return {
        {"--weights,--checkpoint", &weights, "safetensors file or run folder", "FILE|RUN"},
        {"--model", &model, "network, for files that do not name theirs", "NAME"},
        {"--device", &device, "auto, cpu, cuda or cuda:N", "DEVICE"},
        {"-b,--batch-size,--batch", &batch, "pictures at a time", "N"},
        {"--threads", &threads, "compute and loader threads; all cores when absent", "N"},
        {"--img-size,--imgsz,--val-crop-size", &img_size, "side of the square that the network sees; the weights' own when absent", "P"},
        {"--crop-pct", &crop_pct, "the short side is resized to floor(img_size/crop_pct); the weights' own when absent", "C"},
        {"--interpolation", &interpolation, "how pictures are resized; the weights' own when absent", "NAME"},
        {"--exif", &exif, "whether the EXIF orientation turns pictures; the weights' own when absent", "POLICY", "", {"ignore", "apply"}},
        {"--mirror",
         &mirror,
         "whether pictures are also seen mirrored and logits averaged; the weights' own when absent",
         "yes|no",
         "",
         {"yes", "no"}}};
  }
};

bool is_run(const std::string& path) { return std::filesystem::exists(Path(path) / "recipe.toml"); }

std::string data_of_run(const Path& run) {
  try {
    return nlohmann::json::parse(read_text(run / "env.json")).value("data", "");
  } catch (const nlohmann::json::exception& error) {
    fail(Kind::data, "{}: damaged ({})", (run / "env.json").string(), error.what());
  }
}

struct ValArguments : NetworkArguments {
  std::string data, json, real, v2, kind = "auto";
  bool per_class = false;
};

/// "61.200 % (612 right, 95 % interval 58.14–64.17)".
std::string top1_text(double top1, int64_t right, int64_t count) {
  const predict::Interval interval = predict::wilson(right, count);
  return fmt::format("{:.3f} % ({} right, 95 % interval {:.2f}–{:.2f})", top1, right, interval.low, interval.high);
}

predict::Evaluation judge(predict::Classifier& classifier, const data::Data& data, const ValArguments& a) {
  log::info("{}", data.description);
  predict::EvaluateOptions how;
  how.batch = a.batch, how.threads = a.threads.value_or(available_cores());
  how.skip_bad = a.bad_files == "skip";
  predict::Evaluation result = predict::evaluate(classifier.network(), data.val, classifier.pipeline(), classifier.card(), how);
  for (const auto& failure : result.failures) log::warn("left out {}: {}", failure.filename, failure.reason);
  if (!result.failures.empty()) log::warn("{} pictures could not be read and are not counted", result.failures.size());
  return result;
}

/// The labels, once it is seen that every picture has some.
std::optional<predict::RealLabels> real_labels(const std::string& file, const data::Dataset& val, int64_t classes) {
  if (file.empty()) return std::nullopt;
  predict::RealLabels labels(file, classes);
  for (const int64_t item : val.items) labels.of(val.reader->name(item));
  return labels;
}

int run_val(ValArguments a) {
  check(!a.data.empty(), Kind::usage, "no data: satchel val DATA --weights FILE, or satchel val RUN");
  Path run;
  if (is_run(a.data)) {
    run = a.data;
    if (a.weights.empty()) a.weights = a.data;
    a.data = data_of_run(run);
  } else if (is_run(a.weights)) {
    run = a.weights;
  }
  check(!a.weights.empty(), Kind::usage, "no weights: satchel val DATA --weights FILE or RUN");
  predict::Classifier classifier(a.weights, a.options());
  data::DataOptions options;
  options.kind = a.kind;
  options.class_order = a.class_order.empty() ? options.class_order : a.class_order;
  options.bad_files = a.bad_files.empty() ? "stop" : a.bad_files;
  // What satchel held out when it trained on this very folder is what it is judged on.
  std::vector<std::string> held_out;
  if (!run.empty() && std::filesystem::absolute(a.data).lexically_normal() == Path(data_of_run(run)).lexically_normal())
    held_out = train::held_out_of(run);
  const data::Data data = data::open_for_evaluation(a.data, options, classifier.classes(), held_out);
  // What else is asked for is opened before the work begins.
  const std::vector<std::string>& classes = classifier.classes().empty() ? data.classes : classifier.classes();
  const auto labels = real_labels(a.real, data.val, static_cast<int64_t>(classes.size()));
  std::optional<data::Data> v2;
  if (!a.v2.empty()) v2 = data::open_for_evaluation(a.v2, options, classes, {});
  const predict::Evaluation result = judge(classifier, data, a);
  if (a.per_class) print(predict::per_class_table(result, classes));
  print(fmt::format("{}: {} pictures, top-1 {}, top-5 {:.3f} % ({} right), loss {:.4f}\n", classifier.card().model, result.count,
                    top1_text(result.top1(), result.correct_top1, result.count), result.top5(), result.correct_top5, result.loss));
  std::map<std::string, predict::TestCount> tests;
  const auto test = [&](const char* key, const char* name, const predict::TestCount& count) {
    print(fmt::format("{}: {} pictures, top-1 {}\n", name, count.count, top1_text(count.top1(), count.correct_top1, count.count)));
    tests[key] = count;
  };
  if (labels) test("real", "ReaL labels", predict::count_real(*labels, result));
  if (v2) {
    const predict::Evaluation other = judge(classifier, *v2, a);
    test("v2", "V2", {other.count, other.correct_top1});
  }
  const std::string json = predict::evaluation_json(result, classifier.card().model, classes, a.per_class, tests);
  if (a.json == "-") print(json + "\n");
  if (!a.json.empty() && a.json != "-") write_atomic(a.json, json + "\n");
  return 0;
}

struct PredictArguments : NetworkArguments {
  std::vector<std::string> paths;
  int topk = 5;
  std::string format = "table", output;
};

int run_predict(const PredictArguments& a) {
  check(!a.paths.empty(), Kind::usage, "no pictures: satchel predict PATH… --weights FILE or RUN");
  check(!a.weights.empty(), Kind::usage, "no weights: satchel predict PATH… --weights FILE or RUN");
  check(a.topk >= 1, Kind::usage, "--topk {}: give 1 or more", a.topk);
  predict::Classifier classifier(a.weights, a.options());
  const std::vector<predict::Answer> answers = classifier.classify(std::vector<Path>(a.paths.begin(), a.paths.end()), a.topk);
  const std::string text = a.format == "csv"    ? predict::answers_csv(answers)
                           : a.format == "json" ? predict::answers_json(answers) + "\n"
                                                : predict::answers_table(answers);
  if (a.output.empty()) print(text);
  if (!a.output.empty()) write_atomic(a.output, text);
  const auto failed = std::count_if(answers.begin(), answers.end(), [](const predict::Answer& answer) { return !answer.error.empty(); });
  if (failed) log::warn("{} of {} pictures could not be read: see their rows", failed, answers.size());
  check(failed < static_cast<long>(answers.size()), Kind::data, "no picture could be read{}",
        answers.empty() ? "" : ": " + answers.front().filename + ": " + answers.front().error);
  return 0;
}

}  // namespace

Command val_command() {
  auto a = std::make_shared<ValArguments>();
  Command c{"val", "count right answers on labelled pictures", {}, [a] { return run_val(*a); }, true, {}};
  c.arguments = {
      {"data", &a->data, "folder with val/, folder of class folders, list, IDX folder, or a run folder", "DATA|RUN"},
      {"--data-dir,--data-path,--data", &a->data, "the same as a flag", "DATA"},
      {"--json", &a->json, "write the counts as JSON (- for standard output)", "OUT"},
      {"--per-class", &a->per_class, "a table of classes"},
      {"--real", &a->real, "ImageNet ReaL labels (real.json): a second count beside the first", "FILE"},
      {"--v2", &a->v2, "pictures of the same classes from elsewhere, as ImageNet-V2: a second test beside the first", "FOLDER"},
      {"--dataset", &a->kind, "how the data are laid out", "KIND", "", {"auto", "folder", "list", "idx"}},
      {"--class-order", &a->class_order, "order of class folders when the weights name none", "ORDER", "", {"lexicographic", "natural"}},
      {"--bad-files", &a->bad_files, "what a picture that cannot be read does", "POLICY", "", {"stop", "skip"}}};
  for (Argument& argument : a->NetworkArguments::arguments()) c.arguments.push_back(argument);
  return c;
}

Command predict_command() {
  auto a = std::make_shared<PredictArguments>();
  Command c{"predict", "name what is on pictures", {}, [a] { return run_predict(*a); }, false, {}};
  c.arguments = {{"paths", &a->paths, "pictures or folders", "PATH"},
                 {"--topk", &a->topk, "answers per picture", "K"},
                 {"--format,--results-format", &a->format, "table, csv or json", "FORMAT", "", {"table", "csv", "json"}},
                 {"--output", &a->output, "file to write instead of standard output", "FILE"}};
  for (Argument& argument : a->NetworkArguments::arguments()) c.arguments.push_back(argument);
  return c;
}

}  // namespace satchel::cli
