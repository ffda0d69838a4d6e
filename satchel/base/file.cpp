// Whole-file reading, maps and atomic writing on POSIX calls, so that each failure names path and reason.
// SPDX-License-Identifier: Apache-2.0
#include "satchel/base/file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "satchel/base/error.h"
#include "satchel/base/text.h"

namespace satchel {
namespace {

/// A file descriptor that closes itself.
struct Descriptor {
  int fd;
  explicit Descriptor(int value) : fd(value) {}
  Descriptor(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd >= 0) ::close(fd);
  }
};

void write_all(int fd, const void* data, size_t size, const Path& path) {
  const char* at = static_cast<const char*>(data);
  while (size > 0) {
    const ssize_t n = ::write(fd, at, size);
    if (n < 0 && errno == EINTR) continue;
    check(n > 0, Kind::machine, "{}: cannot write ({}); free some space or choose another --output", path.string(), system_reason());
    at += n, size -= static_cast<size_t>(n);
  }
}

int open_for_reading(const Path& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);  // a pipe without a writer would not return
  check(fd >= 0, Kind::data, "{}: cannot open ({})", path.string(), system_reason());
  return fd;
}

size_t regular_size(int fd, const Path& path) {
  struct stat info {};
  check(::fstat(fd, &info) == 0, Kind::data, "{}: cannot read ({})", path.string(), system_reason());
  check(S_ISREG(info.st_mode), Kind::data, "{}: not a regular file", path.string());
  return static_cast<size_t>(info.st_size);
}

/// Devices and pipes are written to, not replaced.
bool is_stream(const Path& path) {
  std::error_code none;
  const auto status = std::filesystem::status(path, none);
  return std::filesystem::exists(status) && !std::filesystem::is_regular_file(status) && !std::filesystem::is_directory(status);
}

}  // namespace

Bytes read_file(const Path& path) {
  Descriptor file(open_for_reading(path));
  Bytes bytes(regular_size(file.fd, path));
  size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t n = ::read(file.fd, bytes.data() + done, bytes.size() - done);
    if (n < 0 && errno == EINTR) continue;
    check(n >= 0, Kind::data, "{}: cannot read ({})", path.string(), system_reason());
    if (n == 0) break;
    done += static_cast<size_t>(n);
  }
  bytes.resize(done);
  return bytes;
}

std::string read_text(const Path& path) {
  const Bytes bytes = read_file(path);
  return {bytes.begin(), bytes.end()};
}

void write_atomic(const Path& given, const std::function<void(const WriteFn&)>& produce) {
  std::error_code missing;
  const Path target = std::filesystem::canonical(given, missing), path = missing ? given : target;  // where a link leads
  if (is_stream(path)) {
    Descriptor stream(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
    check(stream.fd >= 0, Kind::machine, "{}: cannot write ({})", path.string(), system_reason());
    return produce([&](const void* data, size_t size) { write_all(stream.fd, data, size, path); });
  }
  const Path temporary = path.string() + ".tmp" + std::to_string(::getpid());
  try {
    Descriptor file(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
    check(file.fd >= 0, Kind::machine, "{}: cannot write ({})", path.string(), system_reason());
    produce([&](const void* data, size_t size) { write_all(file.fd, data, size, path); });
    check(::fsync(file.fd) == 0, Kind::machine, "{}: cannot write ({})", path.string(), system_reason());
  } catch (...) {
    ::unlink(temporary.c_str());
    throw;
  }
  if (::rename(temporary.c_str(), path.c_str()) != 0) {
    const std::string why = system_reason();
    ::unlink(temporary.c_str());
    fail(Kind::machine, "{}: cannot replace ({})", path.string(), why);
  }
  const Path folder = path.has_parent_path() ? path.parent_path() : Path(".");
  Descriptor directory(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory.fd >= 0) ::fsync(directory.fd);
}

void write_atomic(const Path& path, std::span<const uint8_t> bytes) {
  write_atomic(path, [&](const WriteFn& write) { write(bytes.data(), bytes.size()); });
}

void write_atomic(const Path& path, std::string_view text) {
  write_atomic(path, [&](const WriteFn& write) { write(text.data(), text.size()); });
}

void make_folder(const Path& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  check(!error && std::filesystem::is_directory(path), Kind::machine, "{}: cannot create the folder ({})", path.string(),
        error ? error.message() : "a file of that name exists");
}

FolderLock::FolderLock(const Path& folder, const std::string& refusal)
    : folder_(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
  check(folder_ >= 0, Kind::machine, "{}: cannot open the folder ({})", folder.string(), system_reason());
  if (::flock(folder_, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK) return;
  ::close(folder_);
  fail(Kind::usage, "{}: {}", folder.string(), refusal);
}

FolderLock::~FolderLock() { ::close(folder_); }

MappedFile::MappedFile(const Path& path) {
  Descriptor file(open_for_reading(path));
  size_ = regular_size(file.fd, path);
  if (size_ == 0) return;
  void* at = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, file.fd, 0);
  check(at != MAP_FAILED, Kind::machine, "{}: cannot map ({})", path.string(), system_reason());
  data_ = static_cast<const uint8_t*>(at);
}

MappedFile::~MappedFile() {
  if (data_) ::munmap(const_cast<uint8_t*>(data_), size_);
}

MappedFile::MappedFile(MappedFile&& other) noexcept : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

}  // namespace satchel
