// List files: a picture and its class on each line, with tabs, commas or spaces between them, a header or none.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <unordered_map>

#include "satchel/base/error.h"
#include "satchel/base/log.h"
#include "satchel/data/readers.h"

namespace satchel::data {
namespace {

struct Row {
  std::string path, label;
  size_t line;
};

/// A list as read.
struct Rows {
  Path file;
  std::vector<Row> rows;
  bool numbered = true;  // every label is a whole number
};

bool blank(char c) { return c == ' ' || c == '\t'; }

std::string trimmed(std::string_view text) {
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && (blank(text.back()) || text.back() == '\r')) text.remove_suffix(1);
  return std::string(text);
}

/// Fields between separators; a field in double quotes may hold the separator and doubled quotes.
std::vector<std::string> fields_between(std::string_view line, char separator) {
  std::vector<std::string> fields(1);
  bool quoted = false;
  for (size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '"' && separator != '\t') {
      if (quoted && i + 1 < line.size() && line[i + 1] == '"')
        fields.back() += line[i++];
      else
        quoted = !quoted;
    } else if (line[i] == separator && !quoted) {
      fields.emplace_back();
    } else {
      fields.back() += line[i];
    }
  }
  for (std::string& field : fields) field = trimmed(field);
  return fields;
}

/// With spaces between them a picture ends at its extension, so that both it and the class may hold spaces; else at the last space.
std::vector<std::string> fields_by_space(std::string_view line) {
  size_t cut = std::string_view::npos;
  for (size_t i = 1; i < line.size() && cut == std::string_view::npos; ++i)
    if (blank(line[i]) && is_picture(line.substr(0, i))) cut = i;
  if (cut == std::string_view::npos) cut = line.find_last_of(" \t");
  if (cut == std::string_view::npos) return {std::string(line)};
  return {trimmed(line.substr(0, cut)), trimmed(line.substr(cut))};
}

std::vector<std::string> fields_of(std::string_view line, char separator) {
  return separator == ' ' ? fields_by_space(line) : fields_between(line, separator);
}

char separator_of(std::string_view line, bool text_file) {
  if (line.find('\t') != std::string_view::npos) return '\t';
  const std::vector<std::string> by_space = fields_by_space(line);
  if (text_file && by_space.size() == 2 && is_picture(by_space[0])) return ' ';
  for (const char c : {',', ';'})
    if (line.find(c) != std::string_view::npos) return c;
  return ' ';
}

/// Which columns hold picture and class.
struct Columns {
  size_t path = 0, label = 1;
  bool header = false;
};

Columns columns_of(const std::vector<std::string>& first, const std::string& where) {
  static const std::vector<std::string> kPath{"path",  "file", "filename",   "file_name", "filepath", "file_path",
                                              "image", "img",  "image_path", "img_path",  "picture",  "image_name"};
  static const std::vector<std::string> kLabel{"class", "label", "target", "class_name", "category", "class_index", "class_id", "labels"};
  const auto column = [&](const std::vector<std::string>& known) {
    for (size_t c = 0; c < first.size(); ++c)
      if (std::find(known.begin(), known.end(), lower(first[c])) != known.end()) return c;
    return first.size();
  };
  Columns columns{column(kPath), column(kLabel), true};
  if (columns.path == first.size()) {
    check(first.size() == 2, Kind::data,
          "{}: {} columns and no header; two are wanted, a picture and its class, or a header that names them path and class", where,
          first.size());
    return {};
  }
  if (columns.label == first.size() && first.size() == 2) columns.label = 1 - columns.path;
  check(columns.label < first.size(), Kind::data, "{}: the header names no class; call that column class or label", where);
  return columns;
}

bool whole_number(const std::string& text) {
  return !text.empty() && text.size() <= 7 && text.find_first_not_of("0123456789") == std::string::npos;
}

/// A picture of two classes is a mistake; one that stands there twice may be meant, but then a part that is held out is seen in training.
void check_repeats(const Rows& list) {
  std::unordered_map<std::string_view, const Row*> seen;
  int64_t repeated = 0;
  for (const Row& row : list.rows) {
    const auto [at, fresh] = seen.emplace(row.path, &row);
    if (fresh) continue;
    check(at->second->label == row.label, Kind::data, "{}:{}: {} is of class '{}' here and of '{}' in line {}; keep one of the lines",
          list.file.string(), row.line, row.path, row.label, at->second->label, at->second->line);
    ++repeated;
  }
  if (repeated > 0)
    log::warn("{}: {} of its lines repeat a picture; one that is held out may be trained on too", list.file.string(), repeated);
}

Rows read_rows(const Path& file) {
  std::string text = read_text(file);
  if (text.starts_with("\xEF\xBB\xBF")) text.erase(0, 3);
  Rows result{file, {}, true};
  char separator = 0;
  Columns columns;
  size_t number = 0;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    const std::string line = trimmed(std::string_view(text).substr(begin, end - begin));
    begin = end + 1, ++number;
    if (line.empty()) continue;
    const std::string where = fmt::format("{}:{}", file.string(), number);
    const bool first = separator == 0;
    if (first) separator = separator_of(line, lower(file.extension().string()) == ".txt");
    std::vector<std::string> fields = fields_of(line, separator);
    if (first) {
      columns = columns_of(fields, where);
      if (columns.header) continue;
    }
    check(std::max(columns.path, columns.label) < fields.size() && !fields[columns.path].empty() && !fields[columns.label].empty(),
          Kind::data, "{}: not a picture and its class, but '{}'", where, line);
    result.numbered = result.numbered && whole_number(fields[columns.label]);
    result.rows.push_back({std::move(fields[columns.path]), std::move(fields[columns.label]), number});
  }
  check(!result.rows.empty(), Kind::data, "{}: lists no picture; write a picture and its class on each line", file.string());
  check_repeats(result);
  return result;
}

Part part_of(const Rows& rows, bool numbered) {
  Part part;
  auto reader = std::make_shared<FileReader>(rows.file.parent_path());
  const uint32_t folder = reader->add_folder("");
  std::unordered_map<std::string, int32_t> labels;
  int32_t count = 0;
  for (const Row& row : rows.rows) {
    int32_t label = 0;
    if (numbered) {
      label = static_cast<int32_t>(std::stol(row.label));
      count = std::max(count, label + 1);
    } else {
      const auto [at, fresh] = labels.emplace(row.label, static_cast<int32_t>(part.classes.size()));
      if (fresh) part.classes.push_back(row.label);
      label = at->second;
    }
    reader->add(folder, row.path, label);
  }
  for (int32_t c = 0; c < count; ++c) part.classes.push_back(std::to_string(c));
  part.reader = std::move(reader);
  return part;
}

bool is_list(const Path& path) {
  const std::string extension = lower(path.extension().string());
  return (extension == ".csv" || extension == ".txt" || extension == ".tsv") && std::filesystem::is_regular_file(path);
}

Path find_list(const Path& folder, const std::vector<std::string>& names) {
  for (const std::string& name : names)
    for (const char* extension : {".csv", ".tsv", ".txt"})
      if (Path path = folder / (name + extension); is_list(path)) return path;
  return {};
}

bool holds(const Path& path, const DataOptions& options) {
  if (!std::filesystem::is_directory(path)) return is_list(path);
  if (find_list(path, train_names(options)).empty() && find_list(path, val_names(options)).empty()) return false;
  return find_split(path, train_names(options)).empty() && find_split(path, val_names(options)).empty();
}

Layout find(const Path& path, const DataOptions& options) {
  const bool single = !std::filesystem::is_directory(path);
  const Path train = single ? path : find_list(path, train_names(options)), val = single ? Path() : find_list(path, val_names(options));
  check(!train.empty() || !val.empty(), Kind::data,
        "{}: no list of pictures; it is called train.csv, train.tsv or train.txt, and val.csv and so on", path.string());
  Layout layout;
  std::shared_ptr<const Rows> train_rows, val_rows;
  if (!train.empty()) train_rows = std::make_shared<Rows>(read_rows(train));
  if (!val.empty()) val_rows = std::make_shared<Rows>(read_rows(val));
  const bool numbered = (!train_rows || train_rows->numbered) && (!val_rows || val_rows->numbered);
  if (train_rows) layout.train = [=] { return part_of(*train_rows, numbered); }, layout.train_name = train.filename().string();
  if (val_rows) layout.val = [=] { return part_of(*val_rows, numbered); }, layout.val_name = val.filename().string();
  layout.numbered = numbered;
  layout.plain = single;
  layout.class_files = {(single ? path.parent_path() : path) / "classes.txt"};
  return layout;
}

}  // namespace

ReaderKind list() { return {"list", "a .csv, .tsv or .txt file with a picture and its class (name or index) on each line", holds, find}; }

}  // namespace satchel::data
