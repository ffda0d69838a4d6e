// A file that only grows: one write per full buffer, and a cut at opening so that a resumed run drops what its state does not know.
// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "satchel/base/error.h"
#include "satchel/base/text.h"
#include "satchel/report/report.h"

namespace satchel::report {

struct Journal::State {
  Path path;
  int fd = -1;
  int64_t length = 0;  // with what still waits in `buffer`
  std::string buffer;

  ~State() {
    if (fd >= 0) ::close(fd);
  }
  void require(bool done, const char* what) const {
    check(done, Kind::machine, "{}: cannot {} ({}); free some space or choose another --output", path.string(), what, system_reason());
  }
  void flush() {
    size_t done = 0;
    while (done < buffer.size()) {
      const ssize_t n = ::write(fd, buffer.data() + done, buffer.size() - done);
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) buffer.erase(0, done);  // a later flush goes on where this one stopped
      require(n > 0, "write");
      done += static_cast<size_t>(n);
    }
    buffer.clear();
  }
};

Journal::Journal(const Path& path, int64_t keep) : state_(std::make_unique<State>()) {
  State& s = *state_;
  s.path = path;
  s.fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  s.require(s.fd >= 0, "open");
  struct stat info {};
  s.require(::fstat(s.fd, &info) == 0, "read");
  s.length = info.st_size;
  if (keep < 0 || s.length <= keep) return;
  s.require(::ftruncate(s.fd, keep) == 0, "shorten");
  s.length = keep;
}

Journal::~Journal() {
  if (!state_) return;
  try {
    state_->flush();
  } catch (const Error&) {  // whoever must know calls flush() first
  }
}

Journal::Journal(Journal&&) noexcept = default;

void Journal::append(const void* data, size_t size) {
  constexpr size_t kBuffer = 1 << 16;
  state_->buffer.append(static_cast<const char*>(data), size);
  state_->length += static_cast<int64_t>(size);
  if (state_->buffer.size() >= kBuffer) state_->flush();
}

void Journal::append(const std::string& text) { append(text.data(), text.size()); }

void Journal::flush() { state_->flush(); }

int64_t Journal::length() const { return state_->length; }

}  // namespace satchel::report
