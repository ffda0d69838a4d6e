// The page of one run.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <map>

#include "satchel/base/error.h"
#include "satchel/report/report.h"
#include "satchel/report/svg.h"

namespace satchel::report {
namespace {

std::string base64(const std::vector<uint8_t>& bytes) {
  static const char* digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (size_t i = 0; i < bytes.size(); i += 3) {
    const size_t left = std::min<size_t>(3, bytes.size() - i);
    uint32_t word = 0;
    for (size_t k = 0; k < 3; ++k) word = word << 8 | (k < left ? bytes[i + k] : 0);
    for (size_t k = 0; k < 4; ++k) out += k <= left ? digits[word >> (18 - 6 * k) & 63] : '=';
  }
  return out;
}

std::string image_tag(const std::vector<uint8_t>& png, const std::string& alt, const char* css) {
  return fmt::format("<img{} alt=\"{}\" src=\"data:image/png;base64,{}\">", *css ? fmt::format(" class=\"{}\"", css) : "", escape(alt),
                     base64(png));
}

std::string section(const std::string& title, const std::string& body) {
  return body.empty() ? "" : "<h2>" + escape(title) + "</h2>\n" + body;
}

std::string tile(const std::string& value, const std::string& what) {
  return "<div class=\"tile\"><b>" + escape(value) + "</b><span>" + escape(what) + "</span></div>\n";
}

std::string tiles(const RunFiles& run) {
  const size_t best = run.best_epoch();
  std::string out = "<div class=\"tiles\">\n";
  out += tile(fmt::format("{:.2f} %", run.value(best, "eval_top1")), fmt::format("best top-1, in epoch {:.0f}", run.epochs[best].front()));
  out += tile(fmt::format("{:.2f} %", run.value(best, "eval_top5")), "top-5 there");
  out += tile(fmt::format("{:.4f}", run.value(run.epochs.size() - 1, "eval_loss")), "validation loss at the end");
  out += tile(std::to_string(run.epochs.size()), "evaluations");
  if (run.images_per_second > 0) out += tile(fmt::format("{:.0f}", run.images_per_second), "training images/s");
  return out + "</div>\n";
}

std::string curves(const RunFiles& run) {
  Panel accuracy{"Accuracy", "epoch", "top-1 (%)", {{"validation top-1", run.curve("eval_top1")}}};
  for (const char* column : {"eval_top1_ema", "ema_top1"})
    if (const auto points = run.curve(column); !points.empty()) accuracy.series.push_back({"averaged weights", points});
  return "<div class=\"wide\">" +
         curves_svg({{"Loss", "epoch", "loss", {{"training", run.curve("train_loss")}, {"validation", run.curve("eval_loss")}}},
                     accuracy,
                     {"Learning rate", "epoch", "rate", {{"learning rate", run.curve("lr")}}}}) +
         "</div>\n";
}

struct ClassCounts {
  int64_t count = 0, right = 0, answered = 0;
  std::map<std::string, int64_t> wrong;  // taken for what, how often
};

std::map<std::string, ClassCounts> count_classes(const RunFiles& run) {
  std::map<std::string, ClassCounts> out;
  for (const PredictionRow& p : run.predictions) {
    ClassCounts& truth = out[p.truth];
    ++truth.count, ++out[p.answer].answered;
    if (p.truth == p.answer) ++truth.right;
    if (p.truth != p.answer) ++truth.wrong[p.answer];
  }
  return out;
}

std::string percent(int64_t part, int64_t whole) {
  return whole ? fmt::format("{:.1f}", 100.0 * static_cast<double>(part) / static_cast<double>(whole)) : "–";
}

/// The worst classes first.
std::string class_table(const RunFiles& run) {
  const auto counts = count_classes(run);
  if (counts.empty()) return "";
  std::vector<std::pair<std::string, ClassCounts>> order(counts.begin(), counts.end());
  const auto recall = [](const ClassCounts& c) { return c.count ? static_cast<double>(c.right) / static_cast<double>(c.count) : 2.0; };
  std::stable_sort(order.begin(), order.end(), [&](const auto& a, const auto& b) { return recall(a.second) < recall(b.second); });
  std::vector<std::vector<std::string>> rows = {{"class", "pictures", "recall %", "precision %", "most often taken for"}};
  for (const auto& [name, c] : order) {
    const auto most = std::max_element(c.wrong.begin(), c.wrong.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
    rows.push_back({name, std::to_string(c.count), percent(c.right, c.count), percent(c.right, c.answered),
                    most == c.wrong.end() ? "" : fmt::format("{} ({} times)", most->first, most->second)});
  }
  return html_table(rows);
}

std::string confusion(const RunFiles& run) {
  if (run.predictions.empty() || run.classes.empty()) return "";
  std::map<std::string, size_t> index;
  for (size_t i = 0; i < run.classes.size(); ++i) index[run.classes[i]] = i;
  std::vector<std::vector<int64_t>> counts(run.classes.size(), std::vector<int64_t>(run.classes.size()));
  for (const PredictionRow& p : run.predictions) {
    const auto truth = index.find(p.truth), answer = index.find(p.answer);
    if (truth != index.end() && answer != index.end()) ++counts[truth->second][answer->second];
  }
  return "<div class=\"wide\">" + confusion_svg(counts, run.classes) + "</div>\n";
}

std::string mistakes(const PageParts& parts) {
  if (parts.mistakes.empty()) return "";
  std::string out = "<div class=\"gallery\">\n";
  for (const Exhibit& e : parts.mistakes)
    out += "<figure>" + image_tag(e.png, e.caption, "") + "<figcaption>" + escape(e.caption) + "</figcaption></figure>\n";
  return out + "</div>\n";
}

std::string gaps(const RunFiles& run) {
  std::vector<double> right, wrong;
  for (const PredictionRow& p : run.predictions)
    if (p.gap) (p.truth == p.answer ? right : wrong).push_back(*p.gap);
  if (right.empty() && wrong.empty()) return "";
  return "<p class=\"soft\">Largest logit minus the mean of the others (arXiv 1812.01187, figure 4). Label smoothing draws it "
         "together.</p>\n<div class=\"wide\">" +
         histogram_svg("gap", {{"right answers", right}, {"wrong answers", wrong}}) + "</div>\n";
}

std::string time_split(const RunFiles& run) {
  double sum = 0;
  for (const auto& [label, share] : run.time_split) sum += share;
  if (sum <= 0) return "";
  static const char* colors[] = {"#d55e00", "#0072b2", "#56b4e9", "#009e73", "#b8c0c8"};
  auto split = run.time_split;
  if (sum < 0.995) split.emplace_back("everything else", 1 - sum);
  std::string bar = "<div class=\"bar\">", key = "<div class=\"key\">";
  for (size_t i = 0; i < split.size(); ++i) {
    const char* color = colors[std::min<size_t>(i, 4)];
    bar += fmt::format("<div style=\"width:{:.2f}%;background:{}\"></div>", 100 * split[i].second / std::max(1.0, sum), color);
    key += fmt::format("<span><i style=\"background:{}\"></i>{} {:.1f} %</span>", color, escape(split[i].first), 100 * split[i].second);
  }
  return bar + "</div>\n" + key + "</div>\n";
}

std::string recipe_section(const RunFiles& run, const PageParts& parts) {
  std::string out;
  if (!parts.parent.empty()) {
    std::vector<std::vector<std::string>> rows = {{"option", parts.parent, "this run"}};
    for (const auto& [path, values] : parts.changes)
      rows.push_back({path, values.first.empty() ? "–" : values.first, values.second.empty() ? "–" : values.second});
    out += rows.size() > 1 ? fmt::format("<p>What differs from the recipe {}:</p>\n", escape(parts.parent)) + html_table(rows)
                           : fmt::format("<p>Nothing differs from the recipe {}.</p>\n", escape(parts.parent));
  }
  return out + "<details open><summary>Resolved, as it can be run again</summary>\n<pre>" + escape(run.recipe) + "</pre></details>\n";
}

std::string environment(const RunFiles& run) {
  std::vector<std::vector<std::string>> rows = {{"what", "value"}};
  for (const auto& [key, value] : run.environment) rows.push_back({key, value});
  return rows.size() > 1 ? html_table(rows) : "";
}

}  // namespace

std::string run_page(const RunFiles& run, const PageParts& parts) {
  std::string body = "<h1>" + escape(run.name) + "</h1>\n" + tiles(run);
  body += section("Curves", curves(run));
  body += section("Classes, the worst first", class_table(run));
  body += section("What is taken for what", confusion(run));
  body += section("Most confident mistakes", mistakes(parts));
  body += section("How sure the network is", gaps(run));
  body += section("What augmentation makes of the pictures",
                  parts.sheet.empty() ? "" : image_tag(parts.sheet, "augmented training pictures", "sheet") + "\n");
  body += section("Where the time goes", time_split(run));
  body += section("Recipe", recipe_section(run, parts));
  body += section("Environment", environment(run));
  return html_page(run.name, body);
}

}  // namespace satchel::report
