// Places365 as it is handed out: folders of pictures, and lists that number the 365 categories by categories_places365.txt.
// SPDX-License-Identifier: Apache-2.0
#include <charconv>

#include "satchel/base/error.h"
#include "satchel/data/readers.h"

namespace satchel::data {
namespace {

constexpr const char* kCategories = "categories_places365.txt";
constexpr const char* kTrain = "places365_train_standard.txt";
constexpr const char* kVal = "places365_val.txt";

/// "/a/airfield/00000001.jpg 0" → path without its first slash, number. Throws Error(data).
std::pair<std::string, int32_t> numbered(const std::string& line, const Path& file, size_t number) {
  const size_t space = line.rfind(' ');
  int32_t label = -1;
  const char* end = line.data() + line.size();
  const bool fits =
      space != std::string::npos && space > 0 && std::from_chars(line.data() + space + 1, end, label).ptr == end && label >= 0;
  check(fits, Kind::data, "{}:{}: not a path and its number, but '{}'", file.string(), number, line);
  const size_t from = line[0] == '/' ? 1 : 0;
  return {line.substr(from, space - from), label};
}

std::vector<std::string> read_categories(const Path& file) {
  std::vector<std::string> names;
  for (const std::string& line : lines_of(file)) {
    auto [name, number] = numbered(line, file, names.size() + 1);
    check(number == static_cast<int32_t>(names.size()), Kind::data, "{}:{}: category {} stands where {} belongs", file.string(),
          names.size() + 1, number, names.size());
    names.push_back(std::move(name));
  }
  return names;
}

/// The first of these folders that is there.
std::string folder_in(const Path& root, std::initializer_list<const char*> names) {
  for (const char* name : names)
    if (std::filesystem::is_directory(root / name)) return name;
  return {};
}

Part read_list(const Path& root, const char* list, const std::string& folder) {
  Part part;
  part.classes = read_categories(root / kCategories);
  auto reader = std::make_shared<FileReader>(root);
  const uint32_t below = reader->add_folder(folder);
  size_t number = 0;
  for (const std::string& line : lines_of(root / list)) {
    const auto [path, label] = numbered(line, root / list, ++number);
    check(label < static_cast<int32_t>(part.classes.size()), Kind::data, "{}:{}: category {} does not stand in {}", (root / list).string(),
          number, label, kCategories);
    reader->add(below, path, label);
  }
  part.reader = std::move(reader);
  return part;
}

bool holds(const Path& path, const DataOptions&) {
  return std::filesystem::is_regular_file(path / kCategories) &&
         (std::filesystem::is_regular_file(path / kVal) || std::filesystem::is_regular_file(path / kTrain));
}

Layout find(const Path& path, const DataOptions& options) {
  check(holds(path, options), Kind::data, "{}: not Places365 as it is handed out; it holds {}, {} and {} beside the folders of pictures",
        path.string(), kCategories, kTrain, kVal);
  const std::string train = folder_in(path, {"data_256_standard", "data_large_standard", "data_256", "data_large"});
  const std::string val = folder_in(path, {"val_256", "val_large"});
  Layout layout;
  if (!train.empty() && std::filesystem::is_regular_file(path / kTrain))
    layout.train = [=] { return read_list(path, kTrain, train); }, layout.train_name = train + "/";
  if (!val.empty() && std::filesystem::is_regular_file(path / kVal))
    layout.val = [=] { return read_list(path, kVal, val); }, layout.val_name = val + "/";
  check(layout.train || layout.val, Kind::data,
        "{}: the lists are there, but neither data_256_standard/ nor val_256/ (or data_large_standard/, val_large/); unpack them there",
        path.string());
  layout.numbered = true;
  layout.class_files = {path / "classes.txt"};
  return layout;
}

}  // namespace

ReaderKind places365() {
  return {"places365", "Places365 as it is handed out: data_256_standard and val_256 (or _large) with their lists", holds, find};
}

}  // namespace satchel::data
