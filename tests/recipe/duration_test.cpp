// Durations: every unit, its words back, and how many steps it is.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <stdexcept>

#include "tests/recipe/expect.h"

namespace satchel::recipe {
namespace {

using Unit = Duration::Unit;

std::string refused(const std::string& text) {
  try {
    Duration::from_text(text);
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "no error";
}

TEST(Duration, ReadsEveryUnit) {
  EXPECT_EQ(Duration::from_text("5 epochs"), (Duration{5, Unit::epochs}));
  EXPECT_EQ(Duration::from_text("1 epoch"), (Duration{1, Unit::epochs}));
  EXPECT_EQ(Duration::from_text("2000 steps"), (Duration{2000, Unit::steps}));
  EXPECT_EQ(Duration::from_text("1 step"), (Duration{1, Unit::steps}));
  EXPECT_EQ(Duration::from_text("10 %"), (Duration{10, Unit::percent}));
  EXPECT_EQ(Duration::from_text("12.5%"), (Duration{12.5, Unit::percent}));
  EXPECT_EQ(Duration::from_text("90 seconds"), (Duration{90, Unit::seconds}));
  EXPECT_EQ(Duration::from_text("1 second"), (Duration{1, Unit::seconds}));
  EXPECT_EQ(Duration::from_text("5 minutes"), (Duration{300, Unit::seconds}));
  EXPECT_EQ(Duration::from_text("1 minute"), (Duration{60, Unit::seconds}));
  EXPECT_EQ(Duration::from_text("2 hours"), (Duration{7200, Unit::seconds}));
  EXPECT_EQ(Duration::from_text("1.5 hour"), (Duration{5400, Unit::seconds}));
  EXPECT_EQ(Duration::from_text("  0.5   epochs "), (Duration{0.5, Unit::epochs}));
  EXPECT_EQ(Duration::from_text("1e3 steps"), (Duration{1000, Unit::steps}));
  EXPECT_EQ(Duration::from_text("0"), (Duration{0, Unit::epochs}));
}

TEST(Duration, RefusesTheRest) {
  const std::string needed = "a number with a unit is needed, such as \"5 epochs\" or \"2000 steps\"";
  for (const char* text : {"", "epochs", "five epochs", "inf epochs", "nan steps", "1e999 steps", "+5 epochs"})
    EXPECT_EQ(refused(text), needed) << text;
  EXPECT_EQ(refused("5"), "the unit is missing: \"5 epochs\" or \"5 steps\"?");
  EXPECT_EQ(refused("-5 epochs"), "must not be negative");
  EXPECT_EQ(refused("2.5 steps"), "steps are whole");
  EXPECT_EQ(refused("101 %"), "at most 100 %");
  EXPECT_EQ(refused("1e308 hours"), "too long");
  EXPECT_EQ(refused("5 days"), "no unit 'days'; there are epochs, steps, %, hours, minutes, seconds");
  EXPECT_EQ(refused("5 6 epochs"), "no unit '6 epochs'; there are epochs, steps, %, hours, minutes, seconds");
}

TEST(Duration, SaysItselfShortly) {
  for (const char* text : {"5 epochs", "1 epoch", "0 epochs", "0.5 epochs", "1 step", "2000 steps", "10 %", "12.5 %", "90 seconds",
                           "1 second", "0 seconds", "5 minutes", "1 minute", "90 minutes", "2 hours", "1 hour", "0.5 seconds"})
    EXPECT_EQ(Duration::from_text(text).text(), text);
  EXPECT_EQ(Duration::from_text("300 seconds").text(), "5 minutes");
  EXPECT_EQ(Duration::from_text("0.1 hours").text(), "6 minutes");
}

TEST(Duration, CountsSteps) {
  const auto steps = [](const char* text) { return Duration::from_text(text).steps(391, 1000); };
  EXPECT_EQ(steps("5 epochs"), 1955);
  EXPECT_EQ(steps("0.5 epochs"), 196);
  EXPECT_EQ(steps("7 steps"), 7);
  EXPECT_EQ(steps("10 %"), 100);
  EXPECT_EQ(steps("0.05 %"), 1);
  EXPECT_EQ(steps("100 %"), 1000);
  EXPECT_EQ(Duration::from_text("10 %").steps(0, 5), 1) << "half a step rounds up";
  EXPECT_EQ(refusal([&] { steps("5 minutes"); }), "\"5 minutes\" cannot be counted in steps; use epochs, steps or %");
  EXPECT_EQ(refusal([&] { steps("1e18 epochs"); }), "\"1e+18 epochs\" is too long");
}

}  // namespace
}  // namespace satchel::recipe
