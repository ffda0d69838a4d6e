// The page of one run.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <map>

#include "satchel/base/error.h"
#include "satchel/base/text.h"
#include "satchel/recipe/recipe.h"
#include "satchel/report/html.h"
#include "satchel/report/report.h"
#include "satchel/report/svg.h"

namespace satchel::report {
namespace {

constexpr size_t kAllClasses = 40, kWorstClasses = 20, kPairs = 12, kFocus = 10, kMatrixWithNames = 24;

using Counts = std::vector<std::vector<int64_t>>;

std::string soft(const std::string& text) { return "<p class=\"soft\">" + escape(text) + "</p>\n"; }

std::string environment_value(const RunFiles& run, const std::string& key) {
  for (const auto& [name, value] : run.environment)
    if (name == key) return value;
  return "";
}

/// The name of what stands in a slot; empty when there is nothing.
std::string thing_in(const recipe::Table& root, const char* slot) {
  const recipe::Value* value = root.find(slot);
  if (!value) return "";
  if (const std::string* text = value->text()) return *text;
  return value->table() && !value->table()->empty() ? value->table()->begin()->first : "";
}

std::string header(const RunFiles& run, const recipe::Table& root) {
  std::string line;
  const auto add = [&](const std::string& part) { line += (line.empty() || part.empty() ? "" : " · ") + part; };
  add(thing_in(root, "model"));
  if (const std::string name = environment_value(run, "recipe"); !name.empty()) add("recipe " + name);
  add(environment_value(run, "device"));
  std::string started = environment_value(run, "started");
  if (started.size() == 20) started = started.substr(0, 10) + " " + started.substr(11, 5) + " UTC";
  add(started);
  return "<h1>" + escape(run.name) + "</h1>\n" + soft(line);
}

std::string tiles(const RunFiles& run) {
  const size_t best = run.best_epoch();
  const auto n = static_cast<int64_t>(run.predictions.size());
  const int64_t digits = n ? n : 1000;  // an old run does not say how many pictures judged it
  const double top1 = run.value(best, run.judged("eval_top1"));
  std::vector<std::pair<std::string, std::string>> out;
  std::string what = fmt::format("top-1 in epoch {:.0f}, the best", run.epochs[best].front());
  if (n) {
    const auto [low, high] = share_interval(top1, n);
    what += fmt::format("; 95 % interval {:.1f} to {:.1f}", low, high);
  }
  out.emplace_back(percent_text(top1, digits), what);
  if (run.classes.empty() || run.classes.size() > 5)
    out.emplace_back(percent_text(run.value(best, run.judged("eval_top5")), digits), "top-5 in that epoch");
  out.emplace_back(fmt::format("{:.3f}", run.value(best, run.judged("eval_loss"))), "validation loss in that epoch");
  if (n) out.emplace_back(std::to_string(n), fmt::format("validation pictures of {} classes", run.classes.size()));
  if (run.seconds > 0)
    out.emplace_back(duration_text(run.seconds), "for " + counted(static_cast<int64_t>(run.epochs.size()), "evaluation"));
  if (run.images_per_second > 0) out.emplace_back(fmt::format("{:.3g}", run.images_per_second), "training images a second");
  return tiles_html(out) + (run.epochs.size() > 1
                                ? soft("The best epoch is chosen by the same pictures that it is judged on, which flatters it a little.")
                                : "");
}

std::string curves(const RunFiles& run) {
  Panel loss{"Loss", "epoch", "loss", {{"training", run.curve("train_loss")}, {"validation", run.curve("eval_loss")}}};
  Panel accuracy{"Accuracy", "epoch", "%", {{"top-1", run.curve("eval_top1")}}};
  if (const auto points = run.curve("ema_eval_loss"); !points.empty()) loss.series.push_back({"validation, averaged weights", points});
  if (const auto points = run.curve("ema_eval_top1"); !points.empty()) accuracy.series.push_back({"top-1, averaged weights", points});
  if (run.classes.size() > 5) accuracy.series.push_back({"top-5", run.curve("eval_top5")});
  std::vector<Panel> panels = {loss, accuracy};
  if (run.loss.size() > 1) {
    Series steps{"training, between lines of metrics", {}};
    for (const auto& [step, value] : run.loss) steps.points.emplace_back(static_cast<double>(step), value);
    panels.push_back({"Training loss in detail", "step", "loss", {steps}});
  }
  panels.push_back({"Learning rate", "epoch", "rate", {{"at the end of the epoch", run.curve("lr")}}});
  return chart_grid(panels);
}

struct ClassCounts {
  int64_t count = 0, right = 0, answered = 0;
  std::map<std::string, int64_t> wrong;  // taken for what, how often
  double recall() const { return count ? static_cast<double>(right) / static_cast<double>(count) : 2; }
};

std::string percent(int64_t part, int64_t whole) {
  return whole ? fmt::format("{:.0f} %", 100.0 * static_cast<double>(part) / static_cast<double>(whole)) : "–";
}

std::string class_rows(const std::vector<std::pair<std::string, ClassCounts>>& classes, size_t first, size_t end) {
  std::string out =
      "<div class=\"wide\"><table>\n<thead><tr><th>class</th><th class=\"n\">pictures</th><th class=\"n\">recall</th>"
      "<th class=\"n\">precision</th><th>mostly taken for</th></tr></thead>\n<tbody>\n";
  for (size_t i = first; i < end; ++i) {
    const auto& [name, c] = classes[i];
    const auto most = std::max_element(c.wrong.begin(), c.wrong.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
    const std::string bar =
        c.count ? fmt::format("<span class=\"share\"><i style=\"width:{:.0f}%\"></i></span>", 100 * c.recall()) : std::string();
    out += fmt::format(
        "<tr><td>{}</td><td class=\"n\">{}</td><td class=\"n\">{}{}</td><td class=\"n\">{}</td><td>{}</td></tr>\n", escape(name), c.count,
        bar, percent(c.right, c.count), percent(c.right, c.answered),
        most == c.wrong.end() ? "" : escape(most->first) + fmt::format(" <span class=\"soft\">×&#8239;{}</span>", most->second));
  }
  return out + "</tbody></table></div>\n";
}

/// The worst classes first; beyond a screenful the rest is folded away.
std::string class_table(const RunFiles& run) {
  std::map<std::string, ClassCounts> counts;
  for (const PredictionRow& p : run.predictions) {
    ClassCounts& truth = counts[p.truth];
    ++truth.count, ++counts[p.answer].answered;
    if (p.truth == p.answer) ++truth.right;
    if (p.truth != p.answer) ++truth.wrong[p.answer];
  }
  if (counts.empty()) return "";
  std::vector<std::pair<std::string, ClassCounts>> order(counts.begin(), counts.end());
  std::stable_sort(order.begin(), order.end(), [](const auto& a, const auto& b) { return a.second.recall() < b.second.recall(); });
  const std::string words = soft(
      "The worst first. Recall: how many of the class's pictures were recognised; precision: how many of those given its name are it.");
  if (order.size() <= kAllClasses) return words + class_rows(order, 0, order.size());
  return words + class_rows(order, 0, kWorstClasses) +
         fmt::format("<details><summary>The other {} classes</summary>\n", order.size() - kWorstClasses) +
         class_rows(order, kWorstClasses, order.size()) + "</details>\n";
}

Counts count_answers(const RunFiles& run) {
  std::map<std::string, size_t> index;
  for (size_t i = 0; i < run.classes.size(); ++i) index[run.classes[i]] = i;
  Counts counts(run.classes.size(), std::vector<int64_t>(run.classes.size()));
  for (const PredictionRow& p : run.predictions) {
    const auto truth = index.find(p.truth), answer = index.find(p.answer);
    if (truth != index.end() && answer != index.end()) ++counts[truth->second][answer->second];
  }
  return counts;
}

std::string pairs_table(const Counts& counts, const std::vector<std::string>& classes) {
  std::vector<std::vector<std::string>> rows = {{"truth", "taken for", "times", "of its pictures"}};
  for (const Confusion& pair : most_confused(counts, kPairs)) {
    int64_t all = 0;
    for (const int64_t n : counts[pair.truth]) all += n;
    rows.push_back({classes[pair.truth], classes[pair.answer], std::to_string(pair.count), percent(pair.count, all)});
  }
  return rows.size() > 1 ? "<div><h3>Most frequent confusions</h3>\n" + html_table(rows) + "</div>\n" : "<p>There is no confusion.</p>\n";
}

/// Beyond a few dozen classes the whole is a map and the most entangled classes are shown by name.
std::string confusion(const RunFiles& run) {
  if (run.predictions.empty() || run.classes.empty()) return "";
  const size_t n = run.classes.size();
  const Counts counts = count_answers(run);
  std::string words = "Rows are true classes, columns answers. Blue is right, red is wrong; the darker, the larger the share of the row.";
  if (n > 240) words += fmt::format(" Each cell stands for {0} × {0} classes.", (n + 239) / 240);
  std::string out = soft(words) + "<div class=\"pair\">\n<div class=\"figure\">" + matrix_svg(counts, run.classes) + "</div>\n" +
                    pairs_table(counts, run.classes) + "</div>\n";
  const std::vector<size_t> focus = n > kMatrixWithNames ? confused_classes(counts, kFocus) : std::vector<size_t>();
  if (focus.size() < 3) return out;
  Counts part(focus.size(), std::vector<int64_t>(focus.size()));
  std::vector<std::string> names;
  for (size_t i = 0; i < focus.size(); ++i) {
    names.push_back(run.classes[focus[i]]);
    for (size_t k = 0; k < focus.size(); ++k) part[i][k] = counts[focus[i]][focus[k]];
  }
  out += fmt::format("<h3>The {} classes that are most entangled with each other</h3>\n", focus.size()) +
         soft("Answers outside these classes are left out.") + "<div class=\"figure\">" + matrix_svg(part, names) + "</div>\n";
  return out;
}

std::string mistakes(const PageParts& parts) {
  if (parts.mistakes.empty()) return "";
  std::string out = "<div class=\"gallery\">\n";
  for (const Exhibit& e : parts.mistakes)
    out += "<figure>" + picture_html(e.picture, e.caption) + "<figcaption>" + escape(e.caption) + "<span>" + escape(e.note) +
           "</span></figcaption></figure>\n";
  return out + "</div>\n";
}

/// The gap at which the smoothed cross-entropy is least: (name, value); nothing where the recipe's targets are others.
std::optional<std::pair<std::string, double>> best_gap(const RunFiles& run, const recipe::Table& root) {
  const recipe::Value *train = root.find("train"), *mix = root.find("mix");
  if (!train || !train->table() || run.classes.size() < 2 || thing_in(root, "loss") != "cross_entropy") return {};
  if (mix && mix->array() && !mix->array()->empty()) return {};
  const recipe::Value *smoothing = train->table()->find("smoothing"), *over = train->table()->find("smoothing_over");
  const double* epsilon = smoothing ? std::get_if<double>(&smoothing->data) : nullptr;
  const double k = static_cast<double>(run.classes.size());
  if (!epsilon || *epsilon <= 0 || *epsilon >= 1) return {};
  const bool others = over && over->text() && *over->text() == "k-1";
  const double odds = others ? (k - 1) * (1 - *epsilon) / *epsilon : k * (1 - *epsilon) / *epsilon + 1;
  return std::pair{fmt::format("best for label smoothing {:g}: {:.3g}", *epsilon, std::log(odds)), std::log(odds)};
}

std::string gaps(const RunFiles& run, const recipe::Table& root) {
  std::vector<double> right, wrong;
  for (const PredictionRow& p : run.predictions)
    if (p.gap && std::isfinite(*p.gap)) (p.truth == p.answer ? right : wrong).push_back(*p.gap);
  if (right.empty() && wrong.empty()) return "";
  return soft(
             "Largest logit minus the mean of the others (arXiv 1812.01187, figure 4), validation pictures. Label smoothing draws it "
             "together.") +
         "<div class=\"figure\">" + histogram_svg("gap", {{"right answers", right}, {"wrong answers", wrong}}, best_gap(run, root)) +
         "</div>\n";
}

std::string sheet(const PageParts& parts) {
  if (parts.sheet.empty()) return "";
  std::string out = soft("Framed: a training picture as it is; beside it what the first epochs make of it.") + "<div class=\"sheet\">\n";
  for (const auto& pictures : parts.sheet) {
    out += "<div class=\"draws\">";
    for (size_t i = 0; i < pictures.size(); ++i) out += picture_html(pictures[i], i ? "as augmented" : "as it is");
    out += "</div>\n";
  }
  return out + "</div>\n";
}

std::string time_split(const RunFiles& run) {
  double sum = 0;
  for (const auto& [label, share] : run.time_split) sum += share;
  if (sum <= 0) return "";
  static const Paint* colors[] = {&paint::lines[1], &paint::lines[0], &paint::lines[4], &paint::lines[2], &paint::axis};
  auto split = run.time_split;
  if (sum < 0.9995) split.emplace_back("everything else", 1 - sum);
  std::string bar = "<div class=\"bar\">", key = "<div class=\"key\">";
  for (size_t i = 0; i < split.size(); ++i) {
    const char* color = colors[std::min<size_t>(i, 4)]->name;
    bar += fmt::format("<div style=\"width:{:.2f}%;background:var(--{})\"></div>", 100 * split[i].second / std::max(1.0, sum), color);
    key +=
        fmt::format("<span><i style=\"background:var(--{})\"></i>{} {:.1f} %</span>", color, escape(split[i].first), 100 * split[i].second);
  }
  return soft("Of the time spent training; evaluations are not part of it.") + bar + "</div>\n" + key + "</div>\n";
}

std::string recipe_section(const RunFiles& run, const PageParts& parts) {
  std::string out;
  if (!parts.parent.empty()) {
    std::vector<std::vector<std::string>> rows = {{"option", parts.parent, "this run"}};
    for (const auto& [path, values] : parts.changes)
      rows.push_back({path, values.first.empty() ? "–" : values.first, values.second.empty() ? "–" : values.second});
    out += rows.size() > 1 ? fmt::format("<p>What differs from the recipe {}:</p>\n", escape(parts.parent)) + settings_table(rows)
                           : fmt::format("<p>Nothing differs from the recipe {}.</p>\n", escape(parts.parent));
  }
  return out + "<details open><summary>The whole, as it can be run again</summary>\n<pre>" + escape(run.recipe) + "</pre></details>\n";
}

std::string environment(const RunFiles& run) {
  std::vector<std::vector<std::string>> rows = {{"what", "value"}};
  for (const auto& [key, value] : run.environment) {
    std::string words = key;
    std::replace(words.begin(), words.end(), '_', ' ');
    if (!value.empty()) rows.push_back({words, value});
  }
  return rows.size() > 1 ? settings_table(rows) : "";
}

}  // namespace

std::string run_page(const RunFiles& run, const PageParts& parts) {
  const recipe::Table root = recipe::parse_toml(run.recipe, run.name + "/recipe.toml");
  return html_page(run.name, header(run, root) + tiles(run) +
                                 sections_html({{"curves", "Curves", curves(run)},
                                                {"classes", "Classes", class_table(run)},
                                                {"confusion", "What is taken for what", confusion(run)},
                                                {"mistakes", "Most confident mistakes", mistakes(parts)},
                                                {"gap", "How sure the network is", gaps(run, root)},
                                                {"augmentation", "Augmentation", sheet(parts)},
                                                {"time", "Where the time goes", time_split(run)},
                                                {"recipe", "Recipe", recipe_section(run, parts)},
                                                {"environment", "Environment", environment(run)}}));
}

}  // namespace satchel::report
