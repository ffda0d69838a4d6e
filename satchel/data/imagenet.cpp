// ILSVRC as it is handed out: Data/CLS-LOC/train with class folders, Data/CLS-LOC/val flat, and the classes of val in a list of their own
// (Kaggle's LOC_val_solution.csv, or the development kit's ILSVRC2012_validation_ground_truth.txt).
// SPDX-License-Identifier: Apache-2.0
#include <map>

#include "satchel/base/error.h"
#include "satchel/data/readers.h"

namespace satchel::data {
namespace {

constexpr const char* kSolution = "LOC_val_solution.csv";
constexpr const char* kNumbers = "ILSVRC2012_validation_ground_truth.txt";
constexpr const char* kSynsets = "map_clsloc.txt";

/// The folder that holds train/ and val/, below what was given; empty when the path is no such thing.
Path splits_of(const Path& root) {
  for (const char* below : {"ILSVRC/Data/CLS-LOC", "Data/CLS-LOC", "CLS-LOC"})
    if (std::filesystem::is_directory(root / below)) return root / below;
  return {};
}

/// A file of that name at the places where the archives put it.
Path listed_in(const Path& root, const Path& splits, const char* name) {
  for (const Path& folder : {root, root / "ILSVRC", splits, splits / "val", root / "devkit/data", root / "ILSVRC/devkit/data",
                             root / "ILSVRC2012_devkit_t12/data"})
    if (std::filesystem::is_regular_file(folder / name)) return folder / name;
  return {};
}

/// Pictures that lie in the folder itself.
std::vector<std::string> flat_pictures(const Path& folder) {
  std::vector<std::string> names;
  for (Entry& entry : entries(folder))
    if (!entry.folder && is_picture(entry.name)) names.push_back(std::move(entry.name));
  return names;
}

/// "ILSVRC2012_val_00048981,n03995372 85 1 499 272": the picture without its ending, then class and box, as often as there are boxes.
std::map<std::string, std::string> read_solution(const Path& file) {
  std::map<std::string, std::string> classes;
  int64_t number = 0;
  for (const std::string& line : lines_of(file)) {
    ++number;
    const size_t comma = line.find(',');
    if (line.empty() || (number == 1 && line.starts_with("ImageId"))) continue;
    const std::string synset = comma == std::string::npos ? "" : line.substr(comma + 1, line.find(' ', comma) - comma - 1);
    check(synset.size() == 9 && synset[0] == 'n', Kind::data, "{}:{}: not a picture and its class, but '{}'", file.string(), number, line);
    classes[line.substr(0, comma)] = synset;
  }
  return classes;
}

/// Lines "n02119789 1 kit_fox": what the numbers of the ground truth mean.
std::map<std::string, std::string> read_synsets(const Path& file) {
  std::map<std::string, std::string> synsets;
  for (const std::string& line : lines_of(file))
    if (const size_t space = line.find(' '); space != std::string::npos)
      synsets[line.substr(space + 1, line.find(' ', space + 1) - space - 1)] = line.substr(0, space);
  return synsets;
}

/// A number for each picture, in the order of their names.
std::map<std::string, std::string> read_numbers(const Path& file, const Path& synset_file, const std::vector<std::string>& pictures) {
  check(!synset_file.empty(), Kind::data,
        "{}: its numbers need {} beside it (lines such as 'n02119789 1 kit_fox'); see docs/how-to/get-imagenet.md", file.string(),
        kSynsets);
  const std::map<std::string, std::string> synsets = read_synsets(synset_file);
  std::map<std::string, std::string> classes;
  const std::vector<std::string> lines = lines_of(file);
  check(lines.size() == pictures.size(), Kind::data, "{}: {} numbers for {} pictures; unpack all of the validation pictures", file.string(),
        lines.size(), pictures.size());
  for (size_t i = 0; i < lines.size(); ++i) {
    const auto found = synsets.find(lines[i]);
    check(found != synsets.end(), Kind::data, "{}:{}: number '{}' does not stand in {}", file.string(), i + 1, lines[i],
          synset_file.string());
    classes[pictures[i].substr(0, pictures[i].rfind('.'))] = found->second;
  }
  return classes;
}

Part read_flat(const Path& root, const Path& splits, const std::vector<std::string>& pictures) {
  const Path solution = listed_in(root, splits, kSolution), numbers = listed_in(root, splits, kNumbers);
  check(!solution.empty() || !numbers.empty(), Kind::data,
        "{}: {} pictures without classes; put {} or {} into {}, or sort the pictures into class folders", (splits / "val").string(),
        pictures.size(), kSolution, kNumbers, root.string());
  const std::map<std::string, std::string> classes =
      solution.empty() ? read_numbers(numbers, listed_in(root, splits, kSynsets), pictures) : read_solution(solution);
  const std::string list = solution.empty() ? numbers.string() : solution.string();
  Part part;
  auto reader = std::make_shared<FileReader>(splits);
  const uint32_t folder = reader->add_folder("val");
  std::map<std::string, int32_t> labels;
  for (const std::string& picture : pictures) {
    const auto found = classes.find(picture.substr(0, picture.rfind('.')));
    check(found != classes.end(), Kind::data, "{}: does not stand in {}; remove it", (splits / "val" / picture).string(), list);
    const auto [at, fresh] = labels.emplace(found->second, static_cast<int32_t>(part.classes.size()));
    if (fresh) part.classes.push_back(found->second);
    reader->add(folder, picture, at->second);
  }
  check(pictures.size() == classes.size(), Kind::data, "{}: names {} pictures, but {} are in {}; unpack all of them", list, classes.size(),
        pictures.size(), (splits / "val").string());
  part.reader = std::move(reader);
  return part;
}

/// Splits directly in what was given count too when a list of val lies beside them.
Path found_in(const Path& root) {
  if (Path splits = splits_of(root); !splits.empty()) return splits;
  if (!std::filesystem::is_directory(root / "val") || flat_pictures(root / "val").empty()) return {};
  return listed_in(root, root, kSolution).empty() && listed_in(root, root, kNumbers).empty() ? Path() : root;
}

bool holds(const Path& path, const DataOptions&) { return std::filesystem::is_directory(path) && !found_in(path).empty(); }

Layout find(const Path& path, const DataOptions&) {
  const Path splits = std::filesystem::is_directory(path) ? found_in(path) : Path();
  check(!splits.empty(), Kind::data, "{}: not ILSVRC as it is handed out; it holds ILSVRC/Data/CLS-LOC, or train/, val/ and {} (or {})",
        path.string(), kSolution, kNumbers);
  Layout layout;
  if (std::filesystem::is_directory(splits / "train")) layout.train = [=] { return read_class_folders(splits, "train"); };
  if (std::filesystem::is_directory(splits / "val"))
    layout.val = [=] {
      const std::vector<std::string> pictures = flat_pictures(splits / "val");
      return pictures.empty() ? read_class_folders(splits, "val") : read_flat(path, splits, pictures);
    };
  check(layout.train || layout.val, Kind::data, "{}: neither train/ nor val/ in it; unpack the archives there", splits.string());
  const std::string below = splits == path ? "" : splits.lexically_relative(path).string() + "/";
  layout.train_name = below + "train/", layout.val_name = below + "val/";
  layout.class_files = {path / "classes.txt", splits / "train/classes.txt"};
  return layout;
}

}  // namespace

ReaderKind imagenet() {
  return {"imagenet", "ILSVRC as it is handed out: Data/CLS-LOC with class folders in train and a flat val beside its list", holds, find};
}

}  // namespace satchel::data
