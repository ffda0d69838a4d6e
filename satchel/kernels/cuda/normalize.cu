// Bytes → mixed → normalised input on the device: one thread a pixel; all arithmetic as on the CPU, so the same bits.
// SPDX-License-Identifier: Apache-2.0
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_runtime.h>

#include "satchel/kernels/cuda/cuda.h"

namespace satchel::kernels::cuda {
namespace {

struct Pixels {
  const uint8_t* in;
  const MixRow* mix;
  int64_t count, height, width;
  double mean[3], std[3];
};

/// Intrinsics with fixed rounding: the compiler may not contract or replace the division.
__device__ float in_float(int v, double mean, double std) {
  return __fdiv_rn(__fsub_rn(__fdiv_rn(static_cast<float>(v), 255.0f), static_cast<float>(mean)), static_cast<float>(std));
}

__device__ void store(float* out, int v, double mean, double std) { *out = in_float(v, mean, std); }
__device__ void store(double* out, int v, double mean, double std) { *out = __ddiv_rn(__dsub_rn(__ddiv_rn(v, 255.0), mean), std); }
__device__ void store(__nv_bfloat16* out, int v, double mean, double std) { *out = __float2bfloat16_rn(in_float(v, mean, std)); }
__device__ void store(__half* out, int v, double mean, double std) { *out = __float2half_rn(in_float(v, mean, std)); }

template <class T>
__global__ void normalize_pixels(Pixels p, T* out) {
  const int64_t picture = p.height * p.width, total = p.count * picture;
  for (int64_t i = blockIdx.x * static_cast<int64_t>(blockDim.x) + threadIdx.x; i < total;
       i += static_cast<int64_t>(gridDim.x) * blockDim.x) {
    const int64_t n = i / picture, within = i % picture, y = within / p.width, x = within % p.width;
    const uint8_t* own = p.in + i * 3;
    const uint8_t* partner = own;
    float lambda = 1, rest = 0;
    if (p.mix) {
      const MixRow row = p.mix[n];
      const uint8_t* there = p.in + (row.partner * picture + within) * 3;
      if (row.width > 0) {
        if (x >= row.x && x < row.x + row.width && y >= row.y && y < row.y + row.height) own = there;
      } else if (row.lambda != 1) {
        partner = there;
        lambda = static_cast<float>(row.lambda);
        rest = static_cast<float>(1 - row.lambda);
      }
    }
#pragma unroll
    for (int c = 0; c < 3; ++c) {
      int v = own[c];
      if (rest != 0)
        v = __float2int_rn(__fadd_rn(__fmul_rn(static_cast<float>(v), lambda), __fmul_rn(static_cast<float>(partner[c]), rest)));
      store(out + i * 3 + c, v, p.mean[c], p.std[c]);
    }
  }
}

template <class T>
bool launch(const Normalize& op) {
  Pixels p{op.in, op.mix, op.count, op.height, op.width, {op.mean[0], op.mean[1], op.mean[2]}, {op.std[0], op.std[1], op.std[2]}};
  const int64_t total = op.count * op.height * op.width;
  if (total == 0) return true;
  const int threads = 256;
  const int64_t blocks = (total + threads - 1) / threads;
  normalize_pixels<<<static_cast<unsigned>(blocks < 65535 ? blocks : 65535), threads, 0, static_cast<cudaStream_t>(op.place.stream)>>>(
      p, static_cast<T*>(op.out));
  return cudaGetLastError() == cudaSuccess;
}

}  // namespace

bool normalize(const Normalize& op) {
  switch (op.dtype) {
    case Dtype::f32:
      return launch<float>(op);
    case Dtype::f64:
      return launch<double>(op);
    case Dtype::bf16:
      return launch<__nv_bfloat16>(op);
    case Dtype::f16:
      return launch<__half>(op);
  }
  return false;
}

}  // namespace satchel::kernels::cuda
