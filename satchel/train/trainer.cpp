// The loop: data, step, what is due after it. Named stages, no hooks.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <chrono>
#include <cmath>
#include <csignal>

#include <ATen/TensorOperators.h>

#include <nlohmann/json.hpp>

#include "satchel/base/error.h"
#include "satchel/base/log.h"
#include "satchel/report/report.h"
#include "satchel/train/session.h"

namespace satchel::train {
namespace {

volatile std::sig_atomic_t stop_flag = 0;

double wall_time() { return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count(); }

/// True after update number `done` (1, 2, …) when something is due every `duration`.
bool due(const Duration& duration, int64_t done, const Horizon& h) {
  if (duration.unit == Duration::Unit::seconds) return false;
  const int64_t every = std::max<int64_t>(1, duration.steps(h.steps_per_epoch, h.steps));
  return done % every == 0;
}

class Trainer {
 public:
  Trainer(Session& session, const Request& request, const std::function<void(const Progress&)>& progress)
      : s_(session), p_(session.position), request_(request), progress_(progress), started_(now_seconds()), last_save_(started_) {}

  Outcome run() {
    s_.plan.network->train();
    s_.clock->enter(Stage::other);
    s_.loader->seek(p_.step / s_.horizon.steps_per_epoch, p_.step % s_.horizon.steps_per_epoch * s_.options.train.accumulate);
    while (p_.step < s_.horizon.steps && !out_of_patience()) {
      const double before = now_seconds();
      const Stepped stepped = next_step(s_);
      guard(stepped);
      account(stepped);
      p_.seconds += now_seconds() - before;
      report(stepped);
      if (evaluation_due()) evaluate(stepped.lr);
      if (epoch_ended()) p_.loss_sum = 0, p_.loss_count = 0;
      const bool stop = stop_requested() || out_of_time();
      if (save_due() || stop) save();
      if (stop && p_.step < s_.horizon.steps) return stopped();
    }
    return finish();
  }

 private:
  bool epoch_ended() const { return p_.step % s_.horizon.steps_per_epoch == 0; }
  bool evaluation_due() const { return due(s_.options.evaluate.every, p_.step, s_.horizon) || p_.step == s_.horizon.steps; }
  bool out_of_patience() const { return s_.options.train.patience > 0 && p_.without_better >= s_.options.train.patience; }
  bool out_of_time() const { return request_.max_hours && now_seconds() - started_ > *request_.max_hours * 3600; }
  bool averaged() const { return s_.plan.average != nullptr; }

  /// A loss that is no number ends the run before it can spoil the weights that were saved.
  void guard(const Stepped& stepped) {
    tell_overflows(stepped.report.skipped, p_.step);
    if (stepped.report.finite) return;
    std::string names;
    for (size_t i = 0; i < std::min<size_t>(3, stepped.pictures.size()); ++i) names += (i ? ", " : "") + stepped.pictures[i];
    if (stepped.pictures.size() > 3) names += fmt::format(", … ({} pictures)", stepped.pictures.size());
    const bool saved = s_.folder && std::filesystem::exists(s_.folder->state());
    fail(Kind::machine,
         "step {} (epoch {}): the loss is not a number; the batch held {}; {}; lower the rate (--lr), clip (--clip-grad 1) or check those "
         "pictures",
         p_.step, p_.step / s_.horizon.steps_per_epoch, names,
         saved ? fmt::format("the last good state is {}", s_.folder->state().string()) : "no state had been saved yet");
  }

  /// An overflow is said when it happens; those that follow within log_interval steps are said together, the last ones at the `end`.
  void tell_overflows(bool skipped, int64_t step, bool end = false) {
    untold_ += skipped;
    if (untold_ == 0 || (!end && told_at_ && step - *told_at_ < s_.options.train.log_interval)) return;
    if (skipped && untold_ == 1)
      log::info("step {}: the scaled gradients overflowed; step skipped, loss scale now {:g}", step, s_.step->scale().value());
    else
      log::info("up to step {}: {} more overflowed since step {}; skipped, loss scale now {:g}", step, untold_, *told_at_,
                s_.step->scale().value());
    untold_ = 0, told_at_ = step;
  }

  void account(const Stepped& stepped) {
    const StepReport& r = stepped.report;
    pictures_ += r.count;
    ++p_.step;
    if (r.count == 0) return;
    p_.loss_count += r.count;
    // On a GPU the sum stays on the device until a line is due, so that the host never waits.
    pending_ = pending_.defined() ? pending_ + r.loss * static_cast<double>(r.count) : r.loss * static_cast<double>(r.count);
    if (r.loss.device().is_cpu() || log_due()) settle();
  }

  /// Moves the losses that wait on the device into the position.
  void settle() {
    if (!pending_.defined()) return;
    const double sum = pending_.item<double>();
    pending_ = at::Tensor();
    check(std::isfinite(sum), Kind::machine,
          "step {}: the loss is not a number since the last line of metrics; the last good state is {}; lower the rate (--lr) or clip "
          "(--clip-grad 1)",
          p_.step, s_.folder->state().string());
    p_.loss_sum += sum;
  }

  bool log_due() const {
    return p_.step % s_.options.train.log_interval == 0 || epoch_ended() || p_.step == s_.horizon.steps || save_due();
  }

  void report(const Stepped& stepped) {
    const double now = now_seconds();
    const bool line = p_.step % s_.options.train.log_interval == 0 || p_.step == s_.horizon.steps;
    if (!line && now - last_progress_ < 0.25) return;
    last_progress_ = now;
    const double elapsed = std::max(1e-9, now - started_);
    Progress g;
    g.epoch = (p_.step - 1) / s_.horizon.steps_per_epoch, g.epochs = s_.horizon.epochs;
    g.step = p_.step, g.steps = s_.horizon.steps;
    g.step_in_epoch = (p_.step - 1) % s_.horizon.steps_per_epoch + 1, g.steps_per_epoch = s_.horizon.steps_per_epoch;
    g.lr = stepped.lr;
    if (stepped.report.loss.defined() && stepped.report.loss.device().is_cpu()) g.loss = stepped.report.loss.item<double>();
    g.mean_loss = p_.loss_count ? p_.loss_sum / static_cast<double>(p_.loss_count) : 0;
    g.images_per_second = static_cast<double>(pictures_) / std::max(1e-9, elapsed - evaluate_seconds_);
    const StageTimes times = s_.clock->times();
    g.data_wait = times.share(Stage::data);
    g.seconds_left = elapsed / static_cast<double>(p_.step - first_step_) * static_cast<double>(s_.horizon.steps - p_.step);
    g.peak_memory_bytes = s_.device->peak_memory_bytes();
    if (progress_) progress_(g);
    if (!line) return;
    const double epoch = static_cast<double>(p_.step) / static_cast<double>(s_.horizon.steps_per_epoch);
    std::vector<std::pair<std::string, double>> scalars = {{"loss", g.mean_loss},
                                                           {"lr", g.lr},
                                                           {"seconds", p_.seconds},
                                                           {"images_per_second", g.images_per_second},
                                                           {"peak_memory_bytes", static_cast<double>(g.peak_memory_bytes)}};
    for (const auto& share : times.shares()) scalars.push_back(share);
    if (s_.step->scale().on()) scalars.emplace_back("loss_scale", s_.step->scale().value());
    s_.folder->metrics(p_.step, epoch, scalars, wall_time());
  }

  void evaluate(double lr) {
    settle();
    s_.clock->enter(Stage::outside);
    const double before = now_seconds();
    EpochRow row;
    row.epoch = (p_.step - 1) / s_.horizon.steps_per_epoch;
    row.train_loss = p_.loss_count ? p_.loss_sum / static_cast<double>(p_.loss_count) : 0;
    row.lr = lr;
    predict::Evaluation result = judge(s_, false);
    row.eval_loss = result.loss, row.top1 = result.top1(), row.top5 = result.top5();
    double metric = row.top1;
    if (averaged()) {
      result = judge(s_, true);
      row.ema_loss = result.loss, row.ema_top1 = result.top1(), row.ema_top5 = result.top5();
      metric = row.ema_top1;
    }
    p_.rows.push_back(row);
    s_.folder->epoch(p_.rows, p_.step, wall_time());
    s_.folder->last_evaluation(result, s_.data.classes);
    keep_best(row, metric, result);
    s_.clock->enter(Stage::other);
    evaluate_seconds_ += now_seconds() - before;
    p_.seconds += now_seconds() - before;
    log::info("epoch {}  train loss {:.4f}  val loss {:.4f}  top-1 {:.2f} %  top-5 {:.2f} %{}  lr {:.3g}  {:.0f} images/s  {}{}", row.epoch,
              row.train_loss, row.eval_loss, row.top1, row.top5, averaged() ? fmt::format("  ema top-1 {:.2f} %", row.ema_top1) : "",
              row.lr, static_cast<double>(pictures_) / std::max(1e-9, now_seconds() - started_ - evaluate_seconds_),
              report::clock_text(p_.seconds), p_.best_epoch == row.epoch ? "  (best)" : "");
  }

  /// Ranked checkpoints and best.safetensors; with an average its weights are the ones kept, as they are the ones judged.
  void keep_best(const EpochRow& row, double metric, const predict::Evaluation& result) {
    ++p_.without_better;
    if (metric > p_.best_metric) {
      p_.best_metric = metric, p_.best_epoch = row.epoch, p_.without_better = 0;
      s_.folder->weights("best.safetensors", s_.weights(averaged()), s_.pipelines.card);
      s_.folder->best_evaluation(result, s_.data.classes);
    }
    const auto name = [](int64_t epoch) { return fmt::format("checkpoint-{}.safetensors", epoch); };
    auto& ranked = p_.ranked;
    std::erase_if(ranked, [&](const auto& r) { return r.first == row.epoch; });
    const auto at = std::find_if(ranked.begin(), ranked.end(), [&](const auto& r) { return metric > r.second; });
    const auto place = at - ranked.begin();
    if (place >= s_.options.train.checkpoint_hist) return;
    ranked.insert(at, {row.epoch, metric});
    s_.folder->weights(name(row.epoch), s_.weights(averaged()), s_.pipelines.card);
    while (static_cast<int>(ranked.size()) > s_.options.train.checkpoint_hist) {
      std::filesystem::remove(s_.folder->path() / name(ranked.back().first));
      ranked.pop_back();
    }
  }

  /// Saving by the clock never takes more than 1 % of the time: a slow disk makes saves rarer.
  bool save_due() const {
    const Duration& every = s_.options.train.save_every;
    if (every.unit != Duration::Unit::seconds) return due(every, p_.step, s_.horizon);
    return now_seconds() - last_save_ >= std::max(every.amount, 100 * save_cost_);
  }

  void save() {
    settle();
    const double before = now_seconds();
    p_.journals = s_.folder->lengths();
    p_.counters = s_.plan.optimizer->counters();
    save_state(s_.folder->state(), s_.state_tensors(), p_, s_.around);
    last_save_ = now_seconds();
    save_cost_ = last_save_ - before;
  }

  void write_last() {
    s_.folder->weights("last.safetensors", s_.weights(false), s_.pipelines.card);
    if (averaged()) s_.folder->weights("last_ema.safetensors", s_.weights(true), s_.pipelines.card);
  }

  void summarise_time() {
    if (const std::string text = s_.clock->times().text(); !text.empty()) log::info("training time: {}", text);
  }

  Outcome outcome(bool stopped) const { return outcome_of(s_.folder->path(), p_, s_.pipelines.card.model, s_.horizon.epochs, stopped); }

  Outcome stopped() {
    tell_overflows(false, p_.step - 1, /*end=*/true);
    write_last();
    summarise_time();
    Outcome o = outcome(true);
    log::info("stopped at step {} of {}; state saved in {}; continue with: satchel train --resume {}", p_.step, s_.horizon.steps,
              s_.folder->state().string(), o.folder.string());
    return o;
  }

  Outcome finish() {
    if (out_of_patience() && p_.step < s_.horizon.steps)
      log::info("no better top-1 for {} evaluations: ended at epoch {} of {}", p_.without_better, p_.step / s_.horizon.steps_per_epoch,
                s_.horizon.epochs);
    tell_overflows(false, p_.step - 1, /*end=*/true);
    p_.finished = true;
    write_last();
    save();
    summarise_time();
    return outcome(false);
  }

  Session& s_;
  Position& p_;
  const Request& request_;
  const std::function<void(const Progress&)>& progress_;
  const double started_;
  const int64_t first_step_ = p_.step;
  double last_save_, save_cost_ = 0, last_progress_ = 0, evaluate_seconds_ = 0;
  int64_t pictures_ = 0;
  int64_t untold_ = 0;              // overflows that no line has told of
  std::optional<int64_t> told_at_;  // step of the last line that did
  at::Tensor pending_;
};

}  // namespace

void request_stop() { stop_flag = 1; }
bool stop_requested() { return stop_flag != 0; }

Outcome outcome_of(const Path& folder, const Position& p, const std::string& model, int64_t epochs, bool stopped) {
  Outcome o;
  o.folder = folder, o.stopped = stopped;
  o.best_metric = p.best_metric, o.best_epoch = p.best_epoch;
  nlohmann::ordered_json j = {
      {"model", model},   {"folder", folder.string()}, {"best_metric", p.best_metric}, {"best_epoch", p.best_epoch}, {"steps", p.step},
      {"epochs", epochs}, {"seconds", p.seconds},      {"left_out", p.left_out},       {"stopped", stopped}};
  if (!p.rows.empty())
    j["last"] = {{"train_loss", p.rows.back().train_loss},
                 {"eval_loss", p.rows.back().eval_loss},
                 {"eval_top1", p.rows.back().top1},
                 {"eval_top5", p.rows.back().top5}};
  o.result_json = j.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);  // folders need not be UTF-8
  return o;
}

Outcome train_loop(Session& session, const Request& request, const std::function<void(const Progress&)>& progress) {
  return Trainer(session, request, progress).run();
}

}  // namespace satchel::train
