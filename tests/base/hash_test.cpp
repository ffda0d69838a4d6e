// FNV-1a against the vectors of its authors (draft-eastlake-fnv, appendix C).
// SPDX-License-Identifier: Apache-2.0
#include "satchel/base/hash.h"

#include <gtest/gtest.h>

namespace satchel {
namespace {

TEST(Fnv1a, GivesThePublishedNumbers) {
  EXPECT_EQ(fnv1a(""), 0xcbf29ce484222325u);
  EXPECT_EQ(fnv1a("a"), 0xaf63dc4c8601ec8cu);
  EXPECT_EQ(fnv1a("foobar"), 0x85944171f73967e8u);
}

TEST(Fnv1a, TakesBytesAsUnsigned) { EXPECT_EQ(fnv1a("\xff"), (0xcbf29ce484222325u ^ 0xff) * 0x100000001b3u); }

}  // namespace
}  // namespace satchel
