// Asks the processor (and through XCR0 the system) what it has.
// SPDX-License-Identifier: Apache-2.0
#include "satchel/kernels/cpu/isa.h"

#ifdef __x86_64__
#include <cpuid.h>
#endif

namespace satchel::kernels {
namespace {

Isa detect() {
  Isa found;
#ifdef __x86_64__
  found.avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  found.avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
                 __builtin_cpu_supports("avx512vl");
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (found.avx512 && __get_cpuid_count(7, 1, &a, &b, &c, &d)) found.avx512_bf16 = (a >> 5) & 1;
  if (found.avx512 && __get_cpuid_count(7, 0, &a, &b, &c, &d)) found.amx_bf16 = (d >> 22) & 1;
#endif
  return found;
}

}  // namespace

const Isa& isa() {
  static const Isa found = detect();
  return found;
}

}  // namespace satchel::kernels
