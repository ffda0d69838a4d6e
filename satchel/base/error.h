// The one exception type: what failed, where, what to do next. Caught once, in cli/main.cpp, and printed as one line.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <stdexcept>
#include <string>
#include <utility>

namespace satchel {

/// What is at fault; the number is the program's exit code.
enum class Kind { machine = 1, usage = 2, data = 3 };

class Error : public std::runtime_error {
 public:
  Error(Kind kind, const std::string& message) : std::runtime_error(message), kind_(kind) {}
  Kind kind() const { return kind_; }

 private:
  Kind kind_;
};

/// Throws Error with a formatted message: `fail(Kind::data, "{}: not a picture; remove it or use --bad-files skip", path)`.
template <class... Args>
[[noreturn]] void fail(Kind kind, fmt::format_string<Args...> format, Args&&... args) {
  throw Error(kind, fmt::format(format, std::forward<Args>(args)...));
}

/// `fail` unless the condition holds.
template <class... Args>
void check(bool condition, Kind kind, fmt::format_string<Args...> format, Args&&... args) {
  if (!condition) fail(kind, format, std::forward<Args>(args)...);
}

}  // namespace satchel
