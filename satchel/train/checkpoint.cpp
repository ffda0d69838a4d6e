// Saving and restoring the exact state.
// SPDX-License-Identifier: Apache-2.0
#include "satchel/train/checkpoint.h"

#include <ATen/Version.h>
#include <ATen/core/grad_mode.h>

#include <nlohmann/json.hpp>

#include "satchel/base/error.h"
#include "satchel/nn/nn.h"
#include "satchel/weights/weights.h"

namespace satchel::train {
namespace {

using nlohmann::json;
constexpr const char* kFormat = "satchel-state-1";

void to_json(json& j, const EpochRow& r) {
  j = {r.epoch, r.train_loss, r.eval_loss, r.top1, r.top5, r.lr, r.ema_loss, r.ema_top1, r.ema_top5};
}

EpochRow row_from(const json& j) { return {j.at(0), j.at(1), j.at(2), j.at(3), j.at(4), j.at(5), j.at(6), j.at(7), j.at(8)}; }

json to_json(const Position& p) {
  json rows = json::array();
  for (const EpochRow& r : p.rows) {
    json row;
    to_json(row, r);
    rows.push_back(row);
  }
  return {{"step", p.step},
          {"loss_sum", p.loss_sum},
          {"loss_count", p.loss_count},
          {"rows", rows},
          {"best_metric", p.best_metric},
          {"best_epoch", p.best_epoch},
          {"ranked", p.ranked},
          {"without_better", p.without_better},
          {"left_out", p.left_out},
          {"seconds", p.seconds},
          {"finished", p.finished},
          {"journals", p.journals},
          {"counters", p.counters}};
}

Position position_from(const json& j) {
  Position p;
  p.step = j.at("step"), p.loss_sum = j.at("loss_sum"), p.loss_count = j.at("loss_count");
  for (const json& row : j.at("rows")) p.rows.push_back(row_from(row));
  p.best_metric = j.at("best_metric"), p.best_epoch = j.at("best_epoch");
  p.ranked = j.at("ranked").get<std::vector<std::pair<int64_t, double>>>();
  p.without_better = j.at("without_better"), p.left_out = j.at("left_out");
  p.seconds = j.at("seconds"), p.finished = j.at("finished");
  p.journals = j.at("journals").get<std::map<std::string, int64_t>>();
  p.counters = j.at("counters").get<std::vector<int64_t>>();
  return p;
}

std::string metadata_text(const weights::File& file, const std::string& key) {
  const auto found = file.metadata().find(key);
  check(found != file.metadata().end(), Kind::data, "{}: not a satchel state (it lacks {}); resume needs last.state of a run folder",
        file.path().string(), key);
  return found->second;
}

}  // namespace

void save_state(const Path& path, const std::vector<optim::StateTensor>& tensors, const Position& position, const Surroundings& around) {
  std::vector<nn::NamedTensor> named;
  for (const optim::StateTensor& t : tensors) named.push_back({t.name, t.value, false, nn::Role::weight});
  const nn::ArraySet set = nn::arrays(named);
  const json surroundings = {{"version", around.version}, {"recipe", around.recipe}, {"isa", around.isa},
                             {"device", around.device},   {"data", around.data},     {"threads", around.threads},
                             {"classes", around.classes}, {"loss", around.loss},     {"pictures", around.pictures}};
  const std::string text = surroundings.dump(-1, ' ', false, json::error_handler_t::replace);  // folders need not be UTF-8
  weights::write(path, set.arrays, {{"format", kFormat}, {"position", to_json(position).dump()}, {"surroundings", text}});
}

StateFile read_state(const Path& path) {
  const weights::File file(path);
  check(metadata_text(file, "format") == kFormat, Kind::data, "{}: a state of another format ({}); this program reads {}", path.string(),
        metadata_text(file, "format"), kFormat);
  try {
    StateFile out;
    out.position = position_from(json::parse(metadata_text(file, "position")));
    const json around = json::parse(metadata_text(file, "surroundings"));
    out.around = {around.at("version"),
                  around.at("recipe"),
                  around.at("isa"),
                  around.at("device"),
                  around.at("data"),
                  around.at("threads"),
                  around.at("classes").get<std::vector<std::string>>(),
                  around.value("loss", ""),
                  around.value("pictures", int64_t{0})};
    return out;
  } catch (const json::exception& error) {
    fail(Kind::data, "{}: damaged state ({}); start again without --resume", path.string(), error.what());
  }
}

void restore_tensors(const Path& path, const std::vector<optim::StateTensor>& tensors) {
  const weights::File file(path);
  at::NoGradGuard no_grad;
  for (const optim::StateTensor& t : tensors) {
    const weights::Array* array = file.find(t.name);
    check(array != nullptr, Kind::data, "{}: has no tensor {}: it belongs to another recipe or network", path.string(), t.name);
    at::Tensor value = t.value;
    check(at::IntArrayRef(array->shape) == value.sizes(), Kind::data, "{}: tensor {} has another shape: it belongs to another network",
          path.string(), t.name);
    const at::Tensor saved = nn::tensor_of(*array);
    check(saved.scalar_type() == value.scalar_type(), Kind::data, "{}: tensor {} has another dtype: it belongs to another recipe",
          path.string(), t.name);
    value.copy_(saved);
  }
}

std::string instruction_set() { return at::get_cpu_capability(); }

}  // namespace satchel::train
