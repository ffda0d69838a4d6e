// The reference pages in docs/reference are what this program would write: `make docs` writes them again.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "satchel/base/file.h"
#include "satchel/cli/command.h"

TEST(Reference, PagesAreUpToDate) {
  for (const auto& [file, text] : satchel::cli::reference_pages())
    EXPECT_EQ(satchel::read_text(satchel::Path("docs/reference") / file), text)
        << "docs/reference/" << file << " is stale: run `make docs`";
}
