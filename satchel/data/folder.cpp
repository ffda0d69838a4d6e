// Image folders: ROOT/CLASS/picture, or ROOT/train/CLASS/picture with val/ beside it (torchvision's ImageFolder, timm's folder reader).
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "satchel/base/error.h"
#include "satchel/data/readers.h"

namespace satchel::data {
namespace {

std::vector<std::string> folders_in(const Path& path) {
  std::vector<std::string> names;
  for (Entry& entry : entries(path))
    if (entry.folder) names.push_back(std::move(entry.name));
  return names;
}

/// A root whose folders are all called like splits has no class folders.
void check_not_flat(const Path& root, const std::vector<std::string>& have) {
  const auto like_split = [](const std::string& folder) {
    const std::string name = lower(folder);
    return name.starts_with("train") || name.starts_with("val") || name.starts_with("test") || name.starts_with("eval");
  };
  check(have.empty() || !std::all_of(have.begin(), have.end(), like_split), Kind::data,
        "{}: no class folders in it; put its pictures into one folder for each class, or give a list of files with their classes",
        have.empty() ? "" : (root / have.front()).string());
}

void check_found(const std::string& found, const std::string& wanted, const Path& root, const std::vector<std::string>& have) {
  check(!found.empty() || wanted == "auto", Kind::data, "{}: no folder '{}' with class folders in it; there {} {}", root.string(), wanted,
        have.size() == 1 ? "is" : "are", have.empty() ? "none" : fmt::format("{}", fmt::join(have, ", ")));
}

bool holds(const Path& path, const DataOptions&) { return std::filesystem::is_directory(path) && !folders_in(path).empty(); }

Layout find(const Path& path, const DataOptions& options) {
  check(std::filesystem::is_directory(path), Kind::data, "{}: not a folder; give a folder that holds a folder of pictures for each class",
        path.string());
  const std::vector<std::string> have = folders_in(path);
  const std::string train = find_split(path, train_names(options)), val = find_split(path, val_names(options));
  check_found(train, options.train_split, path, have);
  check_found(val, options.val_split_name, path, have);
  Layout layout;
  layout.plain = train.empty() && val.empty();
  if (layout.plain) check_not_flat(path, have);
  if (layout.plain || !train.empty()) layout.train = [=] { return read_class_folders(path, train); };
  if (!val.empty()) layout.val = [=] { return read_class_folders(path, val); };
  layout.train_name = layout.plain ? "class folders" : train + "/", layout.val_name = val + "/";
  layout.class_files = {path / "classes.txt"};
  if (!train.empty()) layout.class_files.push_back(path / train / "classes.txt");
  if (!layout.plain)
    std::copy_if(have.begin(), have.end(), std::back_inserter(layout.passed_over), [&](const auto& n) { return n != train && n != val; });
  return layout;
}

}  // namespace

Part read_class_folders(const Path& root, const std::string& split) {
  Part part;
  auto reader = std::make_shared<FileReader>(root);
  for (const std::string& name : folders_in(split.empty() ? root : root / split)) {
    const auto label = static_cast<int32_t>(part.classes.size());
    const int64_t before = reader->size();
    std::string current = "\n";  // no folder is called so
    uint32_t number = 0;
    scan(root, split.empty() ? name : split + "/" + name, [&](const std::string& folder, const std::string& file) {
      if (folder != current) number = reader->add_folder(current = folder);
      reader->add(number, file, label);
    });
    (reader->size() > before ? part.classes : part.empty).push_back(name);
  }
  part.reader = std::move(reader);
  return part;
}

std::string find_split(const Path& root, const std::vector<std::string>& wanted) {
  const std::vector<std::string> have = folders_in(root);
  for (const std::string& name : wanted)
    for (const std::string& folder : have)
      if (lower(folder) == lower(name) && !folders_in(root / folder).empty()) return folder;
  return {};
}

ReaderKind folder() { return {"folder", "a folder of pictures for each class, below train/ and val/ or directly", holds, find}; }

}  // namespace satchel::data
