// Every kind of data set, one word each, and the rules that all share: whose classes count, in which order, what is held out.
// SPDX-License-Identifier: Apache-2.0
#include "satchel/data/readers.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "satchel/base/error.h"
#include "satchel/data/classes.h"
#include "satchel/data/split.h"

// In the order in which "auto" tries them: whoever puts lists beside their pictures means the lists.
#define READERS(X) X(idx) X(imagenet) X(places365) X(list) X(folder)

namespace satchel::data {

#define DECLARE(name) ReaderKind name();
READERS(DECLARE)
#undef DECLARE

const std::vector<ReaderKind>& readers() {
#define ADD(name) name(),
  static const std::vector<ReaderKind> kinds{READERS(ADD)};
#undef ADD
  return kinds;
}

namespace {

struct Found {
  Layout layout;
  std::string kind;
};

Found find_layout(const Path& path, const DataOptions& options) {
  std::error_code error;
  check(std::filesystem::exists(path, error), Kind::data,
        "{}: no such file or folder; give a folder of class folders, a list of pictures, or IDX files", path.string());
  for (const ReaderKind& kind : readers())
    if (options.kind == kind.name || (options.kind == "auto" && kind.holds(path, options))) return {kind.find(path, options), kind.name};
  fail(Kind::data, "{}: neither a folder with class folders in it, nor a list (.csv, .tsv, .txt), nor IDX files", path.string());
}

std::string first_few(std::vector<std::string> names) {
  const size_t count = names.size();
  if (count > 3) names.resize(3);
  return fmt::format("{}{}", fmt::join(names, ", "), count > 3 ? fmt::format(" and {} more", count - 3) : "");
}

/// The classes of a part in their order, and by which rule.
struct Classes {
  std::vector<std::string> names;
  std::string rule;
  bool other_when_natural = false;
};

Classes numbered_classes(const Part& part, const std::string& kind, const Path& file) {
  Classes classes{part.classes, kind, false};
  if (file.empty()) return classes;
  classes.names = read_classes(file), classes.rule = "classes.txt";
  check(classes.names.size() >= part.classes.size(), Kind::data, "{}: names {} classes, but the labels go up to {}; name them all",
        file.string(), classes.names.size(), part.classes.size() - 1);
  return classes;
}

Classes classes_of(const Part& part, const Found& found, const DataOptions& options) {
  Path file;
  for (const Path& candidate : found.layout.class_files)
    if (file.empty() && std::filesystem::is_regular_file(candidate)) file = candidate;
  if (found.layout.numbered) return numbered_classes(part, found.kind, file);
  if (file.empty()) {
    Classes classes{in_order(part.classes, options.class_order), options.class_order, false};
    classes.other_when_natural = options.class_order == "lexicographic" && in_order(part.classes, "natural") != classes.names;
    return classes;
  }
  Classes classes{read_classes(file), "classes.txt", false};
  for (const std::string& name : part.classes)
    check(std::find(classes.names.begin(), classes.names.end(), name) != classes.names.end(), Kind::data,
          "{}: class '{}' of the data does not stand in it; add the line or remove the pictures", file.string(), name);
  for (const std::string& name : classes.names)
    check(std::find(part.classes.begin(), part.classes.end(), name) != part.classes.end(), Kind::data,
          "{}: class '{}' has no picture; remove the line or add pictures", file.string(), name);
  return classes;
}

/// Gives a part the class numbers of `classes`; what it holds beyond them is an error that begins with `who`.
void number(Part& part, const std::vector<std::string>& classes, bool numbered, const std::string& who) {
  if (numbered) {
    check(part.classes.size() <= classes.size(), Kind::data, "{}: has a label {}, but there are {} classes (labels count from 0)", who,
          part.classes.size() - 1, classes.size());
    return;
  }
  std::map<std::string, int64_t> index;
  for (size_t c = 0; c < classes.size(); ++c) index[classes[c]] = static_cast<int64_t>(c);
  std::vector<int64_t> numbers;
  std::vector<std::string> unknown;
  for (const std::string& name : part.classes) {
    const auto at = index.find(name);
    if (at == index.end()) unknown.push_back(name);
    numbers.push_back(at == index.end() ? 0 : at->second);
  }
  std::sort(unknown.begin(), unknown.end());
  check(unknown.empty(), Kind::data, "{}: unknown class{} {}; known are {}", who, unknown.size() == 1 ? "" : "es", first_few(unknown),
        first_few(classes));
  part.reader->relabel(numbers);
}

bool is_number(const std::string& name) {
  return !name.empty() && name.find_first_not_of("0123456789") == std::string::npos && name.size() < 10;
}

/// ImageNet-V2 calls its folders 0 … 999, by the place of the class, where the network's classes have names.
bool named_by_place(const Part& part, const std::vector<std::string>& classes) {
  return std::none_of(classes.begin(), classes.end(), is_number) &&
         std::all_of(part.classes.begin(), part.classes.end(),
                     [&](const auto& name) { return is_number(name) && std::stoul(name) < classes.size(); });
}

Dataset whole(const Part& part) {
  Dataset dataset{part.reader, {}};
  for (int64_t i = 0; i < part.reader->size(); ++i) dataset.items.push_back(i);
  return dataset;
}

/// Weights, state and pages hold the names as JSON, which is UTF-8.
void check_names(const Classes& classes, const Path& path) {
  for (const std::string& name : classes.names) try {
      nlohmann::json(name).dump();
    } catch (const nlohmann::json::exception&) {
      fail(Kind::data, "{}: the class name '{}' is not UTF-8; rename it", path.string(), name);
    }
}

void check_train(const Part& part, const Classes& classes, bool numbered, const Path& path) {
  check(part.reader->size() > 0 || !part.empty.empty(), Kind::data,
        "{}: no class folders with pictures in it; it holds a folder of pictures for each class, or train/ and val/ with such folders",
        path.string());
  check(part.empty.empty(), Kind::data, "{}: no picture in the class folder{} {}; remove it or add pictures ({})", path.string(),
        part.empty.size() == 1 ? "" : "s", first_few(part.empty), fmt::join(image::extensions(), " "));
  check(classes.names.size() > 1, Kind::data, "{}: a single class, '{}'; a classifier needs two or more, each in its own folder",
        path.string(), classes.names.empty() ? "" : classes.names[0]);
  if (!numbered || classes.rule == "classes.txt") return;
  std::vector<bool> seen(classes.names.size());
  for (int64_t i = 0; i < part.reader->size(); ++i) seen[static_cast<size_t>(part.reader->label(i))] = true;
  const auto missing = std::find(seen.begin(), seen.end(), false) - seen.begin();
  check(missing == static_cast<ptrdiff_t>(seen.size()), Kind::data,
        "{}: no picture has the label {}, though labels go up to {}; labels that are numbers count from 0 (a classes.txt beside it allows "
        "gaps)",
        path.string(), missing, seen.size() - 1);
}

std::string describe(const Data& data, const Found& found, const Classes& classes, const std::string& validation) {
  std::string line =
      fmt::format("{} training and {} validation pictures of {} classes; training from {}, validation {}; class order {}",
                  data.train.size(), data.val.size(), data.classes.size(), found.layout.train_name, validation, classes.rule);
  if (classes.other_when_natural) line += " as in torchvision (timm's natural order differs: --class-order natural)";
  if (!found.layout.passed_over.empty()) line += fmt::format("; not used: {}", first_few(found.layout.passed_over));
  return line;
}

/// "a/./b/" → "a/b"; the working directory is empty.
std::string without_slash(const Path& path) {
  std::string text = path.lexically_normal().string();
  while (text.size() > 1 && text.back() == '/') text.pop_back();
  return text == "." ? "" : text;
}

}  // namespace

Data open_for_training(const Path& path, const DataOptions& options, uint64_t seed, const std::vector<std::string>& held_out) {
  Found found = find_layout(path, options);
  check(found.layout.train != nullptr, Kind::data, "{}: has {} to validate with, but nothing to train on; put train/ beside it",
        path.string(), found.layout.val_name);
  Part train = found.layout.train();
  const Classes classes = classes_of(train, found, options);
  check_train(train, classes, found.layout.numbered, path);
  check_names(classes, path);
  number(train, classes.names, found.layout.numbered, path.string());

  Data data;
  data.classes = classes.names, data.class_order = classes.rule;
  std::string validation = "from " + found.layout.val_name;
  if (found.layout.val && held_out.empty()) {
    Part val = found.layout.val();
    check(val.reader->size() > 0, Kind::data,
          "{}: no pictures in {}; add some, or remove it to have part of the training pictures held out", path.string(),
          found.layout.val_name);
    number(val, classes.names, found.layout.numbered, (path / found.layout.val_name).string());
    data.train = whole(train), data.val = whole(val);
  } else {
    const Split split = held_out.empty() ? split_by_class(*train.reader, options.val_split, seed) : split_by_list(*train.reader, held_out);
    data.train = {train.reader, split.train}, data.val = {train.reader, split.val};
    for (const int64_t item : split.val) data.held_out.push_back(train.reader->name(item));
    validation = held_out.empty()
                     ? fmt::format("held out of it: {:.4g} % of each class (--val-split, seed {})", 100 * options.val_split, seed)
                     : "held out of it as in the earlier run";
    if (split.lonely > 0) validation += fmt::format(", none of {} classes with a single picture", split.lonely);
    check(!data.val.items.empty(), Kind::data, "{}: every class has a single picture, none can be held out; add pictures or a val/ folder",
          path.string());
  }
  data.description = describe(data, found, classes, validation);
  return data;
}

Data open_for_evaluation(const Path& path, const DataOptions& options, const std::vector<std::string>& classes,
                         const std::vector<std::string>& held_out) {
  Found found = find_layout(path, options);
  const bool from_val = held_out.empty() && found.layout.val;
  check(from_val || (found.layout.train && (found.layout.plain || !held_out.empty())), Kind::data,
        "{}: no validation split in it; to evaluate its training pictures give {}", path.string(),
        (path / found.layout.train_name).string());
  Part part = from_val ? found.layout.val() : found.layout.train();
  check(part.reader->size() > 0, Kind::data, "{}: no pictures in it; it holds a folder of pictures for each class", path.string());
  Classes order{classes, "the network's", false};
  if (classes.empty()) order = classes_of(part, found, options);
  const std::string who = (from_val ? path / found.layout.val_name : path).string();
  const bool by_place = !found.layout.numbered && named_by_place(part, order.names);
  if (by_place) {
    std::vector<int64_t> places;
    for (const std::string& name : part.classes) places.push_back(static_cast<int64_t>(std::stoul(name)));
    part.reader->relabel(places);
  } else {
    number(part, order.names, found.layout.numbered, who);
  }
  Data data;
  data.classes = order.names, data.class_order = order.rule;
  data.val = held_out.empty() ? whole(part) : Dataset{part.reader, split_by_list(*part.reader, held_out).val};
  data.description = fmt::format("{} pictures of {} classes from {}", data.val.size(), data.classes.size(),
                                 held_out.empty() ? who : who + ", those held out of training");
  if (by_place) data.description += "; its folders are numbers: places in the network's classes";
  return data;
}

Dataset open_for_prediction(const std::vector<Path>& paths) {
  auto reader = std::make_shared<FileReader>("");
  for (const Path& path : paths) {
    std::error_code error;
    if (!std::filesystem::is_directory(path, error)) {
      reader->add(reader->add_folder(""), path.string(), -1);
      continue;
    }
    std::string current = "\n";  // no folder is called so
    uint32_t number = 0;
    scan(path, "", [&](const std::string& folder, const std::string& file) {
      if (folder != current) current = folder, number = reader->add_folder(without_slash(path / folder));
      reader->add(number, file, -1);
    });
  }
  check(reader->size() > 0, Kind::data, "{}: no pictures found ({})", paths.empty() ? "" : paths.front().string(),
        fmt::join(image::extensions(), " "));
  Part part;
  part.reader = std::move(reader);
  return whole(part);
}

}  // namespace satchel::data
