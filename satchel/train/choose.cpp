// What `satchel train FOLDER` picks. The rule, in one place:
//   1. Side: no rung of the ladder whose pictures are larger than the data's median short side (at least 32 px).
//   2. Time: --max-hours, or else 0.15 s of training per picture, between 2 minutes and 2 hours (a GPU: no limit but --max-hours).
//   3. Epochs: at least 40,000 pictures seen (8 to 24 epochs), at most 100,000 (12 to 60), as many as the time allows.
//   4. Network and side: the first (strongest) rung of which the least epochs fit the time and whose first epoch takes under 10 minutes;
//      else the last of those that do the latter, with fewer epochs; an error that says so when there is none.
//      A network that was named (--model) stands on every rung, at sides from a quarter of its own on, and gets the time of the least
//      epochs unless --max-hours says otherwise.
//   5. Batch: a power of two near pictures/40, between 16 and 128 (256 on a GPU), so that an epoch has enough steps; never more than the
//      pictures.
// Times are multiply-adds over the rate measured on this machine at start-up.
// SPDX-License-Identifier: Apache-2.0
#include "satchel/train/choose.h"

#include <ATen/ops/conv2d.h>
#include <ATen/ops/randn.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <map>

#include "satchel/base/error.h"
#include "satchel/base/text.h"
#include "satchel/base/threads.h"
#include "satchel/nn/nn.h"
#include "satchel/train/device.h"
#include "satchel/train/session.h"

namespace satchel::train {
namespace {

struct Rung {
  std::string model;
  int img_size;
  double efficiency;  // share of the measured rate that this network reaches: narrow layers and small pictures reach less
};
constexpr double kLongestEpoch = 600;  // seconds
const std::vector<Rung> kLadder = {{"resnet50", 224, 0.8},       {"resnet34", 160, 0.8},      {"resnet18", 128, 0.8},
                                   {"resnet18", 96, 0.7},        {"resnet18", 64, 0.6},       {"cifar_resnet20", 64, 0.35},
                                   {"cifar_resnet20", 48, 0.35}, {"cifar_resnet8", 48, 0.35}, {"cifar_resnet20", 32, 0.3},
                                   {"cifar_resnet8", 32, 0.3},   {"cifar_resnet8", 24, 0.25}};

/// What may be picked, strongest first.
std::vector<Rung> ladder_of(const Situation& s) {
  const std::string& named = s.model.name;
  if (!s.pretrained.empty()) return {{named.empty() ? s.pretrained.name : named, s.pretrained_size, 0.6}};
  if (named.empty()) return kLadder;
  const nn::ModelEntry& entry = nn::find_model(s.model);
  const int64_t smallest = std::max<int64_t>(entry.smallest, entry.card.img_size / 4);
  std::vector<Rung> rungs;
  for (const Rung& rung : kLadder)
    if (rung.img_size >= smallest && (rungs.empty() || rung.img_size < rungs.back().img_size))
      rungs.push_back({named, rung.img_size, rung.efficiency});
  return rungs;
}

/// Multiply-adds of one training step per picture: forward once, backward twice.
double training_macs(const Rung& rung, int64_t classes) {
  static std::map<std::string, double> known;
  const std::string key = fmt::format("{} {} {}", rung.model, rung.img_size, classes);
  if (const auto found = known.find(key); found != known.end()) return found->second;
  nn::ModelContext context;
  context.classes = classes;
  const auto network = nn::build_model({rung.model, {}, "default"}, context);
  const double macs = 3.0 * static_cast<double>(network->shape({rung.img_size, rung.img_size}).macs);
  return known[key] = macs;
}

int power_of_two_near(double x) { return 1 << std::max(0, static_cast<int>(std::lround(std::log2(std::max(1.0, x))))); }

}  // namespace

double measure_training_rate() {
  const at::Tensor x = at::randn({16, 64, 28, 28}).contiguous(at::MemoryFormat::ChannelsLast);
  at::Tensor w = at::randn({64, 64, 3, 3}).contiguous(at::MemoryFormat::ChannelsLast).requires_grad_(true);
  at::Tensor in = x.clone().requires_grad_(true);
  const double macs = 3.0 * 16 * 64 * 28 * 28 * 64 * 9;
  double best = 1e9;
  for (double until = now_seconds() + 0.4; now_seconds() < until;) {
    const double before = now_seconds();
    at::conv2d(in, w, {}, 1, 1).sum().backward();
    best = std::min(best, now_seconds() - before);
  }
  return macs / best / 1e9;
}

Situation situation_of(const data::Data& data, const Request& request, const recipe::Slot& model) {
  Situation s;
  s.model = model;
  s.pictures = data.train.size();
  s.classes = static_cast<int64_t>(data.classes.size());
  s.median_short_side = data::survey(data.train).median_short_side;
  s.cores = available_cores();
  std::string why;
  s.gpu = request.device != "cpu" && cuda_devices(&why) > 0;
  s.max_hours = request.max_hours;
  if (request.pretrained) {
    const weights::Card card = weights::card_from(weights::File(*request.pretrained).metadata(), request.pretrained->string());
    check(!card.model.empty(), Kind::usage, "{}: the file does not name its network; give --model and --recipe finetune",
          request.pretrained->string());
    s.pretrained = nn::model_slot(card, request.pretrained->string()), s.pretrained_size = card.img_size;
  }
  s.gflops = s.gpu ? 0 : measure_training_rate();
  return s;
}

std::string chosen_recipe(bool pretrained) { return pretrained ? "finetune" : "scratch"; }

Choice choose(const Situation& s) {
  Choice c;
  const auto pictures = static_cast<double>(std::max<int64_t>(1, s.pictures));
  c.recipe = chosen_recipe(!s.pretrained.empty());
  const int least = std::clamp(static_cast<int>(40000 / pictures), 8, 24), most = std::clamp(static_cast<int>(100000 / pictures), 12, 60);
  c.batch = std::clamp(power_of_two_near(pictures / 40), 16, s.gpu ? 256 : 128);
  c.batch = std::min(c.batch, static_cast<int64_t>(std::bit_floor(static_cast<uint64_t>(pictures))));
  double budget = s.max_hours ? *s.max_hours * 3600 : s.gpu ? 1e12 : std::clamp(0.15 * pictures, 120.0, 7200.0);

  const std::vector<Rung> ladder = ladder_of(s);
  double epoch_seconds = 0;
  for (const Rung& rung : ladder) {
    if (rung.img_size > std::max(32, s.median_short_side) && &rung != &ladder.back()) continue;
    c.model = {rung.model, rung.model == s.pretrained.name ? s.pretrained.options : recipe::Table{}, "chosen"}, c.img_size = rung.img_size;
    epoch_seconds = s.gpu ? 0 : pictures * training_macs(rung, s.classes) / (s.gflops * 1e9 * rung.efficiency);
    if (epoch_seconds < kLongestEpoch && epoch_seconds * least <= budget) break;
  }
  check(epoch_seconds < kLongestEpoch || !s.model.empty() || !s.pretrained.empty(), Kind::usage,
        "{} training pictures: even {} at {} px would take {:.0f} minutes an epoch on this machine; train on fewer pictures or on a GPU, "
        "or name a network all the same (--model {})",
        s.pictures, c.model.name, c.img_size, epoch_seconds / 60, c.model.name);
  if (!s.model.empty() && !s.max_hours) budget = std::max(budget, epoch_seconds * least);
  c.epochs = epoch_seconds > 0 ? std::clamp(static_cast<int>(budget / epoch_seconds), 1, most) : most;
  c.reasons = {fmt::format("chosen for {} training pictures in {} classes, median short side {} px, {}{}:", s.pictures, s.classes,
                           s.median_short_side,
                           s.gpu ? "a GPU" : fmt::format("{} at {:.0f} billion multiply-adds a second", counted(s.cores, "core"), s.gflops),
                           s.max_hours ? fmt::format(", --max-hours {:g}", *s.max_hours) : ""),
               fmt::format("  recipe {}, network {} at {} px, batch {}, {}{}", c.recipe, c.model.name, c.img_size, c.batch,
                           counted(c.epochs, "epoch"),
                           s.gpu ? "" : fmt::format(" (about {:.0f} s an epoch, {:.0f} s allowed in all)", epoch_seconds, budget))};
  return c;
}

void apply_choice(recipe::Table& root, const Choice& choice) {
  const std::string origin = "chosen";
  root.set("model", recipe::detail::write(choice.model));
  set_img_size(root, choice.img_size, origin);
  recipe::set(root, {"train", "batch"}, recipe::Value(choice.batch, origin), grammar());
  recipe::set(root, {"train", "length"}, recipe::Value(fmt::format("{} epochs", choice.epochs), origin), grammar());
}

int64_t fitting_batch(int64_t batch, int64_t accumulate, int64_t min_epoch_steps, int64_t places) {
  constexpr int64_t kLeast = 16;  // below, batch norms see too little
  while (batch / 2 >= kLeast && places / (batch * accumulate) < min_epoch_steps) batch /= 2;
  while (min_epoch_steps > 0 && batch > std::max<int64_t>(1, places)) batch /= 2;  // too little is more than none
  return batch;
}

namespace {

/// Sides of growing pictures are multiples of a share of the last side: where that becomes `share` of what it was, so does the multiple.
void scale_growth(recipe::Table& root, double share, const std::string& origin, std::vector<std::string>& replaced) {
  const recipe::Value* old = recipe::get(root, "growth.multiple", grammar());
  const int64_t* multiple = old ? std::get_if<int64_t>(&old->data) : nullptr;
  const int64_t scaled = multiple ? std::max<int64_t>(1, std::llround(static_cast<double>(*multiple) * share)) : 0;
  if (!multiple || scaled == *multiple) return;
  replaced.push_back(fmt::format("growth.multiple {} → {}", *multiple, scaled));
  recipe::set(root, {"growth", "multiple"}, recipe::Value(scaled, origin), grammar());
}

}  // namespace

std::vector<std::string> set_img_size(recipe::Table& root, int64_t size, const std::string& origin) {
  std::vector<std::string> replaced;
  recipe::set(root, {"evaluate", "img_size"}, recipe::Value(size, origin), grammar());
  recipe::Value* list = root.find("augment");
  if (!list || !list->array()) return replaced;
  std::vector<recipe::Slot> ops = recipe::slots_of(*list, "augment");
  double share = 1;
  for (recipe::Slot& op : ops) {
    recipe::Value* old = op.options.find("size");
    if (!old) continue;
    const std::string before = recipe::to_toml(*old);
    if (const int64_t* last = std::get_if<int64_t>(&old->data)) share = static_cast<double>(size) / static_cast<double>(*last);
    *old = recipe::Value(size, origin);
    if (before != std::to_string(size)) replaced.push_back(fmt::format("augment.{}.size {} → {}", op.name, before, size));
  }
  const std::string where = list->origin;
  *list = recipe::detail::write(ops);
  list->origin = where;
  scale_growth(root, share, origin, replaced);
  return replaced;
}

}  // namespace satchel::train
