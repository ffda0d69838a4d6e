// The program as a user runs it: a child process with its exit code and what it printed, temporary folders, and small made pictures.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "satchel/base/file.h"
#include "tests/scratch.h"

namespace satchel::e2e {

struct Ended {
  int code = -1;    // exit code; −signal when a signal ended it
  std::string out;  // standard output
  std::string err;  // standard error: log lines and, at last, the error
  /// The last line of `err`.
  std::string last_line() const;
};

using Arguments = std::vector<std::string>;

/// A child that goes on while the test looks at it. Its output goes to files beside `folder`, in which it runs.
class Running {
 public:
  /// `file_limit`: no file may grow beyond this many bytes, which is how a full disk is made everywhere (0: no limit).
  Running(const Arguments& arguments, const Path& folder, int64_t file_limit = 0);
  ~Running();
  Running(const Running&) = delete;
  bool alive();
  void signal(int number) const;
  Ended wait();

 private:
  pid_t pid_ = -1;
  int status_ = 0;
  bool ended_ = false;
  Path out_, err_;
};

/// Runs the program in `folder` and waits.
Ended run(const Arguments& arguments, const Path& folder, int64_t file_limit = 0);

/// One picture of class `label`: a coloured ground with noise of its own, so that classes can be learned and no two pictures are alike.
void write_picture(const Path& file, int label, int number, int side = 16);
/// `per_class` pictures in each of the folders root/a, root/b, …
void write_classes(const Path& root, int classes, int per_class, int side = 16, int first = 0);
/// root/train and root/val.
void write_splits(const Path& root, int classes, int training, int validation, int side = 16);

/// The flags that make a run tiny: cifar_resnet8, 16 px, batches of 8, one thread.
Arguments tiny(const Path& data, Arguments more = {});

}  // namespace satchel::e2e
