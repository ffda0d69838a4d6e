// What each kind of data set must say of itself; the rules that all kinds share stand in readers.cpp. Internal to data/.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "satchel/data/data.h"

namespace satchel::data {

/// A reader whose labels may be numbered anew once the classes of all parts are known.
class LabelledReader : public Reader {
 public:
  int64_t label(int64_t i) const override { return labels_[static_cast<size_t>(i)]; }
  int64_t size() const override { return static_cast<int64_t>(labels_.size()); }
  /// Label l becomes number[l].
  void relabel(const std::vector<int64_t>& number);

 protected:
  std::vector<int32_t> labels_;
};

/// Picture files below a root. Names lie in one block of memory: a million files cost little more than their names.
class FileReader : public LabelledReader {
 public:
  explicit FileReader(Path root) : root_(std::move(root)) {}
  /// A folder relative to the root ("" is the root itself), for add().
  uint32_t add_folder(std::string folder);
  void add(uint32_t folder, std::string_view file, int32_t label);
  image::Picture open(int64_t i) const override;
  std::string name(int64_t i) const override;
  void will_need(int64_t i) const override;

 private:
  Path root_;
  std::vector<std::string> folders_;
  std::vector<uint32_t> folder_of_;
  std::vector<uint64_t> starts_;
  std::string names_;  // each ends in a zero byte
};

/// One split as found: labels of the reader index `classes`.
struct Part {
  std::shared_ptr<LabelledReader> reader;
  std::vector<std::string> classes;
  std::vector<std::string> empty;  // class folders without a picture; not among `classes`
};

/// What a path holds, read only when asked for.
struct Layout {
  std::function<Part()> train, val;      // null when there is none
  bool plain = false;                    // `train` is not called a training split: it is all there is
  std::string train_name, val_name;      // for the description: "train/", "train-images-idx3-ubyte.gz", …
  std::vector<std::string> passed_over;  // other folders beside the splits
  std::vector<Path> class_files;         // where a classes.txt may lie, in order
  bool numbered = false;                 // labels are indices by their meaning; classes without a classes.txt are called "0", "1", …
};

/// One kind of data set.
struct ReaderKind {
  std::string name, doc;
  bool (*holds)(const Path& path, const DataOptions& options);  // whether `path` is of this kind; looks at names only
  Layout (*find)(const Path& path, const DataOptions& options);
};
const std::vector<ReaderKind>& readers();

// ---- shared by kinds ------------------------------------------------------------------------------------------------

/// One entry of a folder.
struct Entry {
  std::string name;
  bool folder = false;
};
/// Entries of a folder sorted by name, links followed, without hidden ones, Thumbs.db, desktop.ini and __MACOSX. One pass; a file costs no
/// further system call where the file system tells kinds. Throws Error(data).
std::vector<Entry> entries(const Path& folder);
/// Whether the extension is one of image::extensions(), in either case.
bool is_picture(std::string_view name);
/// Calls found(folder relative to root, file name) for every picture below root / folder, sub-folders after files, each sorted; a link
/// that leads back to a folder above is not followed twice.
void scan(const Path& root, const std::string& folder,
          const std::function<void(const std::string& folder, const std::string& file)>& found);
/// The names that stand for a split: the option's, or with "auto" the known synonyms, the preferred first.
std::vector<std::string> train_names(const DataOptions& options);
std::vector<std::string> val_names(const DataOptions& options);
/// The sub-folder of root that bears the first of `wanted` names, in either case, and holds folders itself; empty when none does.
/// (A folder of that name with nothing but pictures in it is a class that happens to be called "test".)
std::string find_split(const Path& root, const std::vector<std::string>& wanted);
/// Class folders in root / split (in root itself when it is empty); pictures of each, sub-folders included.
Part read_class_folders(const Path& root, const std::string& split);
/// Lines of a text file without their ends; empty ones at its end do not count. Throws Error(data).
std::vector<std::string> lines_of(const Path& file);
/// Lower case of ASCII letters.
std::string lower(std::string_view text);

}  // namespace satchel::data
