// The program's version: CMakeLists.txt has it, this header hands it on.
// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace satchel {
inline constexpr const char* kVersion = SATCHEL_VERSION;
}
