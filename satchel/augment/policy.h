// timm's strings of augmentation: "rand-m9-mstd0.5-inc1" is a name and settings of letters and a number, joined by dashes. Internal to
// augment/. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace satchel::augment {

/// One such string, taken apart. Messages of Error(usage) begin with `where`, name the string and suggest what may have been meant.
class Policy {
 public:
  Policy(const std::string& where, const std::string& text);
  /// What stands before the first dash.
  const std::string& name() const { return name_; }
  struct Setting {
    std::string key, value;  // "mstd", "0.5"; of a set of operations "t", "weights"
  };
  const std::vector<Setting>& settings() const { return settings_; }
  /// Throws Error(usage) for a setting that is not among `known`, is given twice or has no value.
  void expect(const std::vector<std::string>& known) const;
  /// The number of a setting, at least `low`, or `otherwise` when it is not given. Throws Error(usage) when it is none.
  double number(const std::string& key, double otherwise, double low = 0) const;
  int whole(const std::string& key, int otherwise, int low = 0) const;
  /// The text of a setting, or empty.
  std::string word(const std::string& key) const;
  [[noreturn]] void refuse(const std::string& reason) const;

 private:
  std::string where_, text_, name_;
  std::vector<Setting> settings_;
};

}  // namespace satchel::augment
