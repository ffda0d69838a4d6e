// Folders of files: one pass of readdir, and a reader that keeps a million names in one block.
// SPDX-License-Identifier: Apache-2.0
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "satchel/base/error.h"
#include "satchel/base/text.h"
#include "satchel/data/readers.h"

namespace satchel::data {
namespace {

bool passed_over(std::string_view name) {
  return name.starts_with('.') || name == "__MACOSX" || name == "Thumbs.db" || name == "desktop.ini";
}

/// A folder on the way down, to notice links that lead back up.
struct Above {
  dev_t device;
  ino_t inode;
  const Above* parent;
};

void scan_below(const Path& root, const std::string& folder, const Above* parent,
                const std::function<void(const std::string&, const std::string&)>& found) {
  const Path here = folder.empty() ? root : root / folder;
  struct stat info {};
  check(::stat(here.c_str(), &info) == 0, Kind::data, "{}: cannot read ({})", here.string(), system_reason());
  const Above above{info.st_dev, info.st_ino, parent};
  for (const Above* a = parent; a; a = a->parent)
    if (a->device == above.device && a->inode == above.inode) return;
  const std::vector<Entry> all = entries(here);
  for (const Entry& entry : all)
    if (!entry.folder && is_picture(entry.name)) found(folder, entry.name);
  for (const Entry& entry : all)
    if (entry.folder) scan_below(root, folder.empty() ? entry.name : folder + "/" + entry.name, &above, found);
}

}  // namespace

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return result;
}

bool is_picture(std::string_view name) {
  const size_t dot = name.rfind('.');
  if (dot == std::string_view::npos || dot == 0) return false;
  const std::string extension = lower(name.substr(dot));
  const auto& known = image::extensions();
  return std::find(known.begin(), known.end(), extension) != known.end();
}

std::vector<Entry> entries(const Path& folder) {
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(::opendir(folder.c_str()), ::closedir);
  check(stream != nullptr, Kind::data, "{}: cannot list the folder ({})", folder.string(), system_reason());
  std::vector<Entry> list;
  for (errno = 0; const dirent* entry = ::readdir(stream.get()); errno = 0) {
    const std::string_view name = entry->d_name;
    if (passed_over(name)) continue;
    bool is_folder = entry->d_type == DT_DIR;
    if (entry->d_type == DT_LNK || entry->d_type == DT_UNKNOWN) {
      struct stat info {};
      if (::fstatat(::dirfd(stream.get()), entry->d_name, &info, 0) == 0) is_folder = S_ISDIR(info.st_mode);
    }
    list.push_back({std::string(name), is_folder});
  }
  check(errno == 0, Kind::data, "{}: cannot list the folder ({})", folder.string(), system_reason());
  std::sort(list.begin(), list.end(), [](const Entry& a, const Entry& b) { return a.name < b.name; });
  return list;
}

void scan(const Path& root, const std::string& folder, const std::function<void(const std::string&, const std::string&)>& found) {
  struct stat info {};
  const bool inside = !folder.empty() && ::stat(root.c_str(), &info) == 0;
  const Above above{info.st_dev, info.st_ino, nullptr};  // a link from a class folder up to it would show every other class
  scan_below(root, folder, inside ? &above : nullptr, found);
}

std::vector<std::string> lines_of(const Path& file) {
  const std::string text = read_text(file);
  std::vector<std::string> lines;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    const bool returned = end > begin && text[end - 1] == '\r';
    lines.push_back(text.substr(begin, end - begin - returned));
    begin = end + 1;
  }
  while (!lines.empty() && lines.back().empty()) lines.pop_back();
  return lines;
}

std::vector<std::string> train_names(const DataOptions& options) {
  if (options.train_split != "auto") return {options.train_split};
  return {"train", "training"};
}

std::vector<std::string> val_names(const DataOptions& options) {
  if (options.val_split_name != "auto") return {options.val_split_name};
  return {"val", "valid", "validation", "eval", "evaluation", "test"};
}

void LabelledReader::relabel(const std::vector<int64_t>& number) {
  for (int32_t& label : labels_) label = static_cast<int32_t>(number[static_cast<size_t>(label)]);
}

uint32_t FileReader::add_folder(std::string folder) {
  folders_.push_back(std::move(folder));
  return static_cast<uint32_t>(folders_.size() - 1);
}

void FileReader::add(uint32_t folder, std::string_view file, int32_t label) {
  folder_of_.push_back(folder);
  starts_.push_back(names_.size());
  names_.append(file).push_back('\0');
  labels_.push_back(label);
}

std::string FileReader::name(int64_t i) const {
  const std::string& folder = folders_[folder_of_[static_cast<size_t>(i)]];
  const char* file = names_.data() + starts_[static_cast<size_t>(i)];
  return folder.empty() ? file : folder + "/" + file;
}

image::Picture FileReader::open(int64_t i) const {
  std::string relative = name(i);
  return {read_file(root_ / relative), std::move(relative)};
}

void FileReader::will_need(int64_t i) const {
  const int file = ::open((root_ / name(i)).c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file < 0) return;  // open() will say so
  ::posix_fadvise(file, 0, 0, POSIX_FADV_WILLNEED);
  ::close(file);
}

}  // namespace satchel::data
