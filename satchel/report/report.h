// What happened: TensorBoard events, JSON lines, CSV, pictures of curves and confusion matrices. Every file that grows can be cut
// back to an earlier length, so that a resumed run leaves the same files as one never stopped.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "satchel/base/file.h"
#include "satchel/report/page.h"

namespace satchel::report {

/// A text or binary file that only grows; buffered, flushed by flush() and on destruction.
class Journal {
 public:
  /// Opens for appending after cutting the file to `keep` bytes (−1: keep all; a shorter file is left as it is). Throws Error(machine).
  explicit Journal(const Path& path, int64_t keep = -1);
  ~Journal();
  Journal(Journal&&) noexcept;
  void append(const void* data, size_t size);
  void append(const std::string& text);
  void flush();
  /// Length after everything appended so far.
  int64_t length() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// TensorBoard scalars: one event file, TFRecord framing with masked CRC-32C.
class TensorBoard {
 public:
  explicit TensorBoard(const Path& folder, int64_t keep = -1);
  void scalar(const std::string& tag, double value, int64_t step, double wall_time);
  void text(const std::string& tag, const std::string& value, int64_t step, double wall_time);
  void flush();
  int64_t length() const;

 private:
  Journal journal_;
};

/// CRC-32C (Castagnoli, RFC 3720 B.4), the checksum of TFRecord frames.
uint32_t crc32c(const void* data, size_t size);

/// A named line of a plot.
struct Series {
  std::string name;
  std::vector<std::pair<double, double>> points;
};
/// Lines over a common x axis as a self-contained SVG; several panels stacked, each with its own y axis.
struct Panel {
  std::string title, x_label, y_label;
  std::vector<Series> series;
};
std::string curves_svg(const std::vector<Panel>& panels);

/// Confusion counts [truth][answer] as an SVG that stays readable at 1000 classes (the most confused pairs are listed beside it).
std::string confusion_svg(const std::vector<std::vector<int64_t>>& counts, const std::vector<std::string>& classes);
std::string confusion_csv(const std::vector<std::vector<int64_t>>& counts, const std::vector<std::string>& classes);

/// CSV cell with quotes where needed.
std::string csv_cell(const std::string& text);
/// Columns aligned for a terminal; the first row is the header. Numbers are aligned right.
std::string text_table(const std::vector<std::vector<std::string>>& rows);
/// Seconds as "3:07", "1:02:03".
std::string clock_text(double seconds);
/// The 95 % interval of a percentage of `count` pictures (Wilson's, 1927).
std::pair<double, double> share_interval(double percent, int64_t count);

}  // namespace satchel::report
