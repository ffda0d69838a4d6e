// Is this well-formed XML? Asks Python's expat, which knows nothing of us.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "satchel/base/file.h"

namespace satchel::report {

/// Fails unless expat parses each document and its root is an SVG; names the first that is not by its index.
inline void expect_well_formed(const std::vector<std::string>& documents) {
  const Path folder = std::filesystem::temp_directory_path() / ("satchel-svg-" + std::to_string(::getpid()));
  make_folder(folder);
  for (size_t i = 0; i < documents.size(); ++i) write_atomic(folder / (std::to_string(i) + ".svg"), std::string_view(documents[i]));
  const std::string script =
      "import pathlib, sys, xml.etree.ElementTree as tree\n"
      "for file in sorted(pathlib.Path(sys.argv[1]).iterdir()):\n"
      "  if tree.parse(file).getroot().tag != '{http://www.w3.org/2000/svg}svg': sys.exit(f'{file.name}: not an SVG')\n";
  EXPECT_EQ(std::system(("python3 -c \"" + script + "\" " + folder.string()).c_str()), 0);
  std::filesystem::remove_all(folder);
}

}  // namespace satchel::report
