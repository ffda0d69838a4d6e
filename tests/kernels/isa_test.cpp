// What we ask the processor agrees with what the kernel says of it.
// SPDX-License-Identifier: Apache-2.0
#include "satchel/kernels/cpu/isa.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <set>
#include <sstream>
#include <string>

namespace satchel::kernels {
namespace {

TEST(Isa, AgreesWithCpuinfo) {
  std::ifstream file("/proc/cpuinfo");
  std::set<std::string> flags;
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with("flags")) continue;
    std::istringstream words(line);
    flags.insert(std::istream_iterator<std::string>(words), {});
  }
  if (flags.empty()) GTEST_SKIP() << "no flags in /proc/cpuinfo";
  EXPECT_EQ(isa().avx2, flags.count("avx2") && flags.count("fma"));
  EXPECT_EQ(isa().avx512, flags.count("avx512f") && flags.count("avx512bw") && flags.count("avx512dq") && flags.count("avx512vl"));
  EXPECT_EQ(isa().avx512_bf16, isa().avx512 && flags.count("avx512_bf16"));
  EXPECT_EQ(isa().amx_bf16, isa().avx512 && flags.count("amx_bf16"));
}

}  // namespace
}  // namespace satchel::kernels
