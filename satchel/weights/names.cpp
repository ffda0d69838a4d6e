// Names of other people's files brought to ours (timm's). The rule, per name, until it is one of ours:
//   1. as it is (timm and torchvision ResNets);
//   2. without leading "module." (DataParallel), "_orig_mod." (torch.compile) and "model." (Lightning and others), repeatedly;
//   3. "linear." → "fc." (akamaster's CIFAR ResNets), after 2.
// The first name of the file that leads to one of ours wins, exact ones before all others; names that lead nowhere are left out.
// SPDX-License-Identifier: Apache-2.0
#include <set>
#include <string_view>

#include "satchel/weights/weights.h"

namespace satchel::weights {
namespace {

bool strip(std::string& name, std::string_view prefix) {
  if (!name.starts_with(prefix)) return false;
  name.erase(0, prefix.size());
  return true;
}

std::string translate(std::string name, const std::set<std::string>& ours) {
  while (!ours.contains(name) && (strip(name, "module.") || strip(name, "_orig_mod.") || strip(name, "model."))) {
  }
  if (!ours.contains(name) && strip(name, "linear.")) name = "fc." + name;
  return name;
}

}  // namespace

std::map<std::string, std::string> map_names(const std::vector<std::string>& in_file, const std::vector<std::string>& ours) {
  const std::set<std::string> known(ours.begin(), ours.end());
  std::map<std::string, std::string> result;
  std::set<std::string> taken;
  for (const std::string& name : in_file)
    if (known.contains(name) && taken.insert(name).second) result[name] = name;
  for (const std::string& name : in_file) {
    const std::string ours_name = translate(name, known);
    if (known.contains(ours_name) && taken.insert(ours_name).second) result[name] = ours_name;
  }
  return result;
}

}  // namespace satchel::weights
