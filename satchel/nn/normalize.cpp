// Bytes → what the network sees: one pass of a kernel, or the plain expression below it.
// SPDX-License-Identifier: Apache-2.0
#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/tensor.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include "satchel/nn/nn.h"

namespace satchel::nn {
namespace {

/// A kernel on the device where the bytes are; the mix plan goes there as one small array.
bool fast_path(const at::Tensor& bytes, const weights::Card& card, at::Tensor& out, const std::vector<kernels::MixRow>& mix) {
  if (!bytes.is_contiguous()) return false;
  kernels::Normalize op{};
  op.in = bytes.const_data_ptr<uint8_t>();
  op.out = out.data_ptr();
  op.dtype = out.scalar_type() == at::kDouble ? kernels::Dtype::f64 : kernels::Dtype::f32;
  op.count = bytes.size(0), op.height = bytes.size(1), op.width = bytes.size(2);
  for (int c = 0; c < 3; ++c) op.mean[c] = card.mean[static_cast<size_t>(c)], op.std[c] = card.std[static_cast<size_t>(c)];
  op.mix = mix.empty() ? nullptr : mix.data();
  at::Tensor rows;
  if (bytes.is_cuda()) {
    op.place = {true, c10::impl::VirtualGuardImpl(at::kCUDA).getStream(bytes.device()).native_handle()};
    if (op.mix) {
      rows =
          at::from_blob(const_cast<kernels::MixRow*>(mix.data()), {static_cast<int64_t>(mix.size() * sizeof(kernels::MixRow))}, at::kByte)
              .to(bytes.device());
      op.mix = reinterpret_cast<const kernels::MixRow*>(rows.const_data_ptr<uint8_t>());
    }
  }
  return kernels::normalize(op);
}

/// Pictures [N,H,W,3] in float, blended and rounded half to even.
at::Tensor mixed(const at::Tensor& bytes, const std::vector<kernels::MixRow>& mix) {
  const at::Tensor whole = bytes.to(at::kFloat);
  at::Tensor out = whole.clone();
  for (size_t i = 0; i < mix.size(); ++i) {
    const kernels::MixRow& row = mix[i];
    const auto me = static_cast<int64_t>(i);
    at::Tensor own = out.select(0, me);
    const at::Tensor partner = whole.select(0, row.partner);
    if (row.width > 0 && row.height > 0) {
      own.narrow(0, row.y, row.height).narrow(1, row.x, row.width).copy_(partner.narrow(0, row.y, row.height).narrow(1, row.x, row.width));
    } else if (row.lambda != 1) {
      own.copy_((whole.select(0, me) * row.lambda + partner * (1 - row.lambda)).round());
    }
  }
  return out;
}

/// Pictures [N,3,H,W] that are normalised already, blended; pasted boxes are the same before and after.
at::Tensor mixed_after(const at::Tensor& x, const std::vector<kernels::MixRow>& mix) {
  at::Tensor out = x.clone();
  for (size_t i = 0; i < mix.size(); ++i) {
    const kernels::MixRow& row = mix[i];
    at::Tensor own = out.select(0, static_cast<int64_t>(i));
    const at::Tensor partner = x.select(0, row.partner);
    if (row.width > 0 && row.height > 0) {
      own.narrow(1, row.y, row.height).narrow(2, row.x, row.width).copy_(partner.narrow(1, row.y, row.height).narrow(2, row.x, row.width));
    } else if (row.lambda != 1) {
      own.mul_(row.lambda).add_(partner, 1 - static_cast<double>(row.lambda));  // in double: 1 − λ need not be a float
    }
  }
  return out;
}

at::Tensor channels(const std::array<double, 3>& values, const at::TensorOptions& options) {
  return at::tensor(at::ArrayRef<double>(values.data(), 3), options);
}

}  // namespace

at::Tensor normalize(const at::Tensor& bytes, const weights::Card& card, at::ScalarType dtype, const std::vector<kernels::MixRow>& mix,
                     bool round_mixed) {
  if (!mix.empty() && !round_mixed) return mixed_after(normalize(bytes, card, dtype), mix);
  const at::TensorOptions options = bytes.options().dtype(dtype);
  at::Tensor out = at::empty(bytes.sizes(), options);
  if (fast_path(bytes, card, out, mix)) return out.permute({0, 3, 1, 2});
  at::Tensor x = (mix.empty() ? bytes : mixed(bytes, mix)).to(dtype, /*non_blocking=*/false, /*copy=*/true).div_(255);
  return x.sub_(channels(card.mean, options)).div_(channels(card.std, options)).permute({0, 3, 1, 2});
}

}  // namespace satchel::nn
