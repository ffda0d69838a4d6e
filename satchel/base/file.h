// Files: read whole, map read-only, write so that a reader sees the old or the new file and nothing between.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace satchel {

using Path = std::filesystem::path;
using Bytes = std::vector<uint8_t>;

/// Whole contents. Throws Error(data) with the path and the system's reason.
Bytes read_file(const Path& path);
std::string read_text(const Path& path);

/// Temporary name in the same folder, fsync, rename, fsync of the folder. Throws Error(machine) on a full disk or lack of permission;
/// the old file, if any, is then untouched and the temporary one removed. A link is followed; a device or pipe is written to as it is.
void write_atomic(const Path& path, std::span<const uint8_t> bytes);
void write_atomic(const Path& path, std::string_view text);
/// The same for contents produced in pieces: `produce(write)` calls `write(pointer, size)` as often as it likes.
using WriteFn = std::function<void(const void* data, size_t size)>;
void write_atomic(const Path& path, const std::function<void(const WriteFn&)>& produce);

/// Creates the folder and its parents. Throws Error(machine) that names the folder and the reason.
void make_folder(const Path& path);

/// While it lives, its holder alone works in a folder. Nothing is left behind, however the holder ends.
class FolderLock {
 public:
  /// Throws Error(usage) "FOLDER: REFUSAL" when another holds it. A file system without locks grants it to everybody.
  FolderLock(const Path& folder, const std::string& refusal);
  ~FolderLock();
  FolderLock(const FolderLock&) = delete;

 private:
  int folder_;
};

/// A read-only memory map of a whole file; movable, unmapped on destruction. Throws Error(data).
class MappedFile {
 public:
  explicit MappedFile(const Path& path);
  ~MappedFile();
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  std::span<const uint8_t> bytes() const { return {data_, size_}; }

 private:
  const uint8_t* data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace satchel
