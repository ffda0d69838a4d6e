# Headers that most files of a target include, parsed once for it: half of what a cold build would spend is reading them again.
# A file still includes what it uses, so it also compiles without this (-DCMAKE_DISABLE_PRECOMPILE_HEADERS=ON).
set(PRECOMPILE_STANDARD <algorithm> <array> <cmath> <cstdint> <cstring> <filesystem> <functional> <map> <memory> <optional> <set> <span> <string>
  <string_view> <utility> <vector> <fmt/format.h> <fmt/ranges.h> <nlohmann/json.hpp>)
# One operator's header brings the context and the dispatcher that all of them need.
set(PRECOMPILE_TORCH <ATen/core/Tensor.h> <ATen/TensorOperators.h> <ATen/ops/empty.h> <ATen/ops/zeros.h> <c10/core/GradMode.h>)
set(PRECOMPILE_TESTS <gmock/gmock.h> <gtest/gtest.h> <fstream> <sstream>)
