// Child processes and made pictures.
// SPDX-License-Identifier: Apache-2.0
#include "tests/e2e/program.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>

#include "satchel/base/error.h"
#include "satchel/image/image.h"

namespace satchel::e2e {
namespace {

std::string unique(const char* what) {
  static std::atomic<int> count{0};
  return fmt::format("satchel-{}-{}-{}", what, ::getpid(), count++);
}

}  // namespace

std::string Ended::last_line() const {
  std::string text = err;
  while (!text.empty() && text.back() == '\n') text.pop_back();
  const size_t at = text.rfind('\n');
  return at == std::string::npos ? text : text.substr(at + 1);
}

Running::Running(const Arguments& arguments, const Path& folder, int64_t file_limit) {
  const Path base = std::filesystem::temp_directory_path() / unique("output");
  out_ = base.string() + ".out", err_ = base.string() + ".err";
  std::vector<std::string> words = {SATCHEL_PROGRAM};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (std::string& w : words) argv.push_back(w.data());
  argv.push_back(nullptr);
  const int out = ::open(out_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  const int err = ::open(err_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  pid_ = ::fork();
  if (pid_ == 0) {
    // Only what is safe between fork and exec.
    if (file_limit > 0) {
      const rlimit limit{static_cast<rlim_t>(file_limit), static_cast<rlim_t>(file_limit)};
      ::setrlimit(RLIMIT_FSIZE, &limit);
      ::signal(SIGXFSZ, SIG_IGN);
    }
    ::dup2(out, STDOUT_FILENO), ::dup2(err, STDERR_FILENO);
    if (::chdir(folder.c_str()) == 0) ::execv(argv[0], argv.data());
    ::_exit(127);
  }
  ::close(out), ::close(err);
}

Running::~Running() {
  if (alive()) signal(SIGKILL), wait();
  std::error_code ignored;
  std::filesystem::remove(out_, ignored), std::filesystem::remove(err_, ignored);
}

bool Running::alive() {
  if (!ended_ && pid_ > 0) ended_ = ::waitpid(pid_, &status_, WNOHANG) == pid_;
  return !ended_ && pid_ > 0;
}

void Running::signal(int number) const { ::kill(pid_, number); }

Ended Running::wait() {
  if (!ended_) ::waitpid(pid_, &status_, 0), ended_ = true;
  return {WIFSIGNALED(status_) ? -WTERMSIG(status_) : WEXITSTATUS(status_), read_text(out_), read_text(err_)};
}

Ended run(const Arguments& arguments, const Path& folder, int64_t file_limit) { return Running(arguments, folder, file_limit).wait(); }

void write_picture(const Path& file, int label, int number, int side) {
  image::Image picture(image::Size{side, side});
  for (size_t i = 0; i < picture.pixels.size(); ++i) {
    // Integers alone, so that tools/golden/train_curve.py makes the same.
    const auto mixed =
        static_cast<uint32_t>(i) * 2654435761u ^ static_cast<uint32_t>(number) * 2246822519u ^ static_cast<uint32_t>(label) * 3266489917u;
    const uint32_t noise = (mixed * 668265263u >> 24) % 80;
    picture.pixels[i] = static_cast<uint8_t>(((label >> (i % 3)) & 1 ? 170u : 60u) + noise);
  }
  std::filesystem::create_directories(file.parent_path());
  write_atomic(file, image::encode_png(picture));
}

void write_classes(const Path& root, int classes, int per_class, int side, int first) {
  for (int c = 0; c < classes; ++c)
    for (int i = 0; i < per_class; ++i)
      write_picture(root / std::string(1, static_cast<char>('a' + c)) / fmt::format("{:03}.png", first + i), c, first + i, side);
}

void write_splits(const Path& root, int classes, int training, int validation, int side) {
  write_classes(root / "train", classes, training, side);
  write_classes(root / "val", classes, validation, side, 500);
}

Arguments tiny(const Path& data, Arguments more) {
  Arguments all = {"train", data.string(), "--recipe", "plain",    "--model", "cifar_resnet8", "--img-size", "16",   "-b",
                   "8",     "--threads",   "1",        "--device", "cpu",     "--name",        "run",        "--lr", "0.1"};
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

}  // namespace satchel::e2e
