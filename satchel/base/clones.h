// The macro that compiles a loop once per instruction set.
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Puts AVX2 and AVX-512 versions of a plain loop beside the portable one; the loader picks at start. Results are the same: contraction
/// is off and no loop so marked may be reassociated. Sanitisers do not stand the resolver, so they get the portable version.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define SATCHEL_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define SATCHEL_CLONES
#endif
