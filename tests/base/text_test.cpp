// Texts that many messages share.
// SPDX-License-Identifier: Apache-2.0
#include "satchel/base/text.h"

#include <gtest/gtest.h>

namespace satchel {
namespace {

TEST(Text, CountsHaveTheirNoun) {
  EXPECT_EQ(counted(0, "step"), "0 steps");
  EXPECT_EQ(counted(1, "step"), "1 step");
  EXPECT_EQ(counted(1281024, "picture"), "1281024 pictures");
}

TEST(Text, TheSystemsReasonIsThatOfItsLastError) {
  errno = ENOENT;
  const std::string missing = system_reason();
  errno = EACCES;
  EXPECT_NE(system_reason(), missing);
  EXPECT_FALSE(missing.empty());
}

}  // namespace
}  // namespace satchel
