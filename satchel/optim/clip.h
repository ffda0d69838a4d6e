// Gradients cut to a bound before the update.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <string_view>
#include <vector>

namespace satchel::optim {

/// Clips the gradients of `parameters` in place; those without one are passed over. Called without grad mode. Modes, timm's names:
///   "norm"   all gradients together to the norm `bound` (torch.nn.utils.clip_grad_norm_);
///   "value"  each number to [−bound, bound];
///   "agc"    adaptive gradient clipping (arXiv 2102.06171, timm/utils/agc.py): the gradient of each output unit to `bound` times the
///            norm of the unit's weights, at least 1e-3. The last two parameters, the classifier, are left as they are.
void clip_gradients(const std::vector<at::Tensor>& parameters, double bound, std::string_view mode);

}  // namespace satchel::optim
