// The words of an error that a test expects.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "satchel/base/error.h"

namespace satchel {

/// What it says when it throws.
template <class F>
std::string error_of(Kind kind, F&& f) {
  try {
    f();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), kind) << error.what();
    return error.what();
  }
  return "no error";
}

}  // namespace satchel
