// Small texts that many messages share.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace satchel {

/// A number and what it counts, whose plural takes an s: "1 run", "8 runs".
inline std::string counted(int64_t n, std::string_view noun) { return fmt::format("{} {}{}", n, noun, n == 1 ? "" : "s"); }

/// Why the last call to the system failed, in its words.
inline std::string system_reason() { return std::strerror(errno); }

}  // namespace satchel
