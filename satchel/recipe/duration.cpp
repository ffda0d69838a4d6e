// "5 epochs", "2000 steps", "10 %", "5 minutes": a length with its unit, so that no reader asks "5 what?".
// SPDX-License-Identifier: Apache-2.0
#include <charconv>
#include <cmath>
#include <stdexcept>

#include "satchel/base/error.h"
#include "satchel/recipe/value.h"

namespace satchel::recipe {
namespace {

struct UnitName {
  std::string_view singular, plural;
  Duration::Unit unit;
  double factor;  // of seconds
};
constexpr UnitName kUnits[] = {{"epoch", "epochs", Duration::Unit::epochs, 1},
                               {"step", "steps", Duration::Unit::steps, 1},
                               {"%", "%", Duration::Unit::percent, 1},
                               {"hour", "hours", Duration::Unit::seconds, 3600},
                               {"minute", "minutes", Duration::Unit::seconds, 60},
                               {"second", "seconds", Duration::Unit::seconds, 1}};

std::string_view trim(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t"), last = text.find_last_not_of(" \t");
  return first == std::string_view::npos ? "" : text.substr(first, last - first + 1);
}

[[noreturn]] void refuse(const std::string& reason) { throw std::invalid_argument(reason); }

}  // namespace

Duration Duration::from_text(std::string_view text) {
  text = trim(text);
  double amount = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), amount);
  if (error != std::errc() || !std::isfinite(amount)) refuse("a number with a unit is needed, such as \"5 epochs\" or \"2000 steps\"");
  if (std::signbit(amount)) refuse("must not be negative");
  const std::string_view word = trim(text.substr(static_cast<size_t>(rest - text.data())));
  if (word.empty()) {
    if (amount == 0) return {};
    refuse(fmt::format("the unit is missing: \"{0} epochs\" or \"{0} steps\"?", text));
  }
  for (const UnitName& name : kUnits) {
    if (word != name.singular && word != name.plural) continue;
    if (name.unit == Unit::steps && amount != std::floor(amount)) refuse("steps are whole");
    if (name.unit == Unit::percent && amount > 100) refuse("at most 100 %");
    if (!std::isfinite(amount * name.factor)) refuse("too long");
    return {amount * name.factor, name.unit};
  }
  refuse(fmt::format("no unit '{}'; there are epochs, steps, %, hours, minutes, seconds", word));
}

std::string Duration::text() const {
  const UnitName* best = nullptr;  // the largest unit that divides it, or the smallest
  for (const UnitName& name : kUnits)
    if (name.unit == unit && (!best || std::fmod(amount, best->factor) != 0 || amount == 0)) best = &name;
  const double count = amount / best->factor;
  return fmt::format("{} {}", count, count == 1 ? best->singular : best->plural);
}

int64_t Duration::steps(int64_t steps_per_epoch, int64_t total_steps) const {
  check(unit != Unit::seconds, Kind::usage, "\"{}\" cannot be counted in steps; use epochs, steps or %", text());
  const double count = unit == Unit::epochs    ? amount * static_cast<double>(steps_per_epoch)
                       : unit == Unit::percent ? amount * static_cast<double>(total_steps) / 100
                                               : amount;
  check(count < 9e15, Kind::usage, "\"{}\" is too long", text());
  return std::llround(count);
}

}  // namespace satchel::recipe
