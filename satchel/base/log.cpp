// spdlog behind a narrow door: its headers are met in this file alone.
// SPDX-License-Identifier: Apache-2.0
#include "satchel/base/log.h"

#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <memory>
#include <mutex>

#include "satchel/base/error.h"

namespace satchel::log {
namespace {

std::mutex mutex;
Hook hook;
Level lowest = Level::info;
std::shared_ptr<spdlog::logger> file;

spdlog::logger& console() {
  static auto logger = [] {
    auto made = std::make_shared<spdlog::logger>("satchel", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_pattern("%v");
    made->set_level(spdlog::level::trace);
    return made;
  }();
  return *logger;
}

}  // namespace

void write(Level level, const std::string& line) {
  std::lock_guard lock(mutex);
  if (level < lowest) return;
  const std::string text = level == Level::warning ? "warning: " + line : line;
  if (file) file->info("{}", text);
  if (hook) {
    hook(level, line);
  } else {
    console().info("{}", text);
    console().flush();
  }
}

void set_level(Level level) {
  std::lock_guard lock(mutex);
  lowest = level;
}

void set_file(const std::string& path) {
  std::lock_guard lock(mutex);
  file.reset();
  if (path.empty()) return;
  try {
    file = std::make_shared<spdlog::logger>("file", std::make_shared<spdlog::sinks::basic_file_sink_mt>(path));
  } catch (const spdlog::spdlog_ex& error) {
    fail(Kind::machine, "{}: cannot write the log ({})", path, error.what());
  }
  file->set_pattern("%Y-%m-%d %H:%M:%S %v");
  file->flush_on(spdlog::level::info);
}

HookGuard::HookGuard(Hook next) {
  std::lock_guard lock(mutex);
  previous_ = std::exchange(hook, std::move(next));
}

HookGuard::~HookGuard() {
  std::lock_guard lock(mutex);
  hook = std::move(previous_);
}

}  // namespace satchel::log
