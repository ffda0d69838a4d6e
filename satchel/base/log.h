// Levelled lines on standard error, with a hook through which tests read them and fail on warnings.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <functional>
#include <string>
#include <utility>

namespace satchel::log {

enum class Level { debug, info, warning };

/// Writes one line. Safe from any thread.
void write(Level level, const std::string& line);

template <class... Args>
void debug(fmt::format_string<Args...> format, Args&&... args) {
  write(Level::debug, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void info(fmt::format_string<Args...> format, Args&&... args) {
  write(Level::info, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void warn(fmt::format_string<Args...> format, Args&&... args) {
  write(Level::warning, fmt::format(format, std::forward<Args>(args)...));
}

/// Lines below this level are dropped (default info).
void set_level(Level level);
/// Also append every line to this file (train.log of a run folder); an empty path ends it.
void set_file(const std::string& path);
/// Receives every line instead of standard error while the returned guard lives; the file still gets them.
using Hook = std::function<void(Level, const std::string&)>;
class HookGuard {
 public:
  explicit HookGuard(Hook hook);
  ~HookGuard();
  HookGuard(const HookGuard&) = delete;

 private:
  Hook previous_;
};

}  // namespace satchel::log
