// IDX files, plain or gzipped (MNIST, Fashion-MNIST and their kin; http://yann.lecun.com/exdb/mnist): the whole set lies in memory.
// SPDX-License-Identifier: Apache-2.0
#include <zlib.h>

#include <algorithm>

#include "satchel/base/error.h"
#include "satchel/data/readers.h"

namespace satchel::data {
namespace {

/// Contents of an IDX file of unsigned bytes: sizes of its dimensions and what follows.
struct Idx {
  std::vector<int64_t> dims;
  Bytes bytes;
};

/// zlib reads plain files as they are.
Bytes inflate(const Path& path) {
  const std::unique_ptr<gzFile_s, int (*)(gzFile)> file(::gzopen(path.c_str(), "rb"), ::gzclose);
  check(file != nullptr, Kind::data, "{}: cannot open", path.string());
  ::gzbuffer(file.get(), 1 << 18);
  Bytes bytes;
  for (size_t step = 1 << 20;; step = std::min<size_t>(step * 2, 1 << 27)) {
    const size_t at = bytes.size();
    bytes.resize(at + step);
    const int n = ::gzread(file.get(), bytes.data() + at, static_cast<unsigned>(step));
    int status = Z_OK;
    const char* reason = ::gzerror(file.get(), &status);
    check(n >= 0 && (status == Z_OK || status == Z_STREAM_END), Kind::data, "{}: damaged ({}); fetch it again", path.string(), reason);
    bytes.resize(at + static_cast<size_t>(n));
    if (static_cast<size_t>(n) < step) return bytes;
  }
}

int64_t big_endian(const uint8_t* at) {
  return static_cast<int64_t>(at[0]) << 24 | static_cast<int64_t>(at[1]) << 16 | static_cast<int64_t>(at[2]) << 8 | at[3];
}

Idx read_idx(const Path& path) {
  Idx idx;
  idx.bytes = inflate(path);
  const Bytes& b = idx.bytes;
  check(b.size() >= 4 && b[0] == 0 && b[1] == 0, Kind::data, "{}: not an IDX file (it begins otherwise)", path.string());
  check(b[2] == 0x08, Kind::data, "{}: an IDX file of type {:#04x}; only unsigned bytes (0x08) are read", path.string(), b[2]);
  const size_t rank = b[3], header = 4 + 4 * rank;
  check(rank >= 1 && rank <= 4 && b.size() >= header, Kind::data, "{}: an IDX header of {} dimensions that is not whole", path.string(),
        rank);
  int64_t total = 1;
  for (size_t d = 0; d < rank; ++d) {
    idx.dims.push_back(big_endian(b.data() + 4 + 4 * d));
    check(idx.dims[d] > 0 && idx.dims[d] <= (int64_t{1} << 40) / total, Kind::data, "{}: dimension {} of the IDX header is {}",
          path.string(), d, idx.dims[d]);
    total *= idx.dims[d];
  }
  const auto have = static_cast<int64_t>(b.size() - header);
  check(have == total, Kind::data, "{}: {} bytes follow the header, which announces {}; fetch it again", path.string(), have, total);
  idx.bytes.erase(idx.bytes.begin(), idx.bytes.begin() + static_cast<ptrdiff_t>(header));
  return idx;
}

class IdxReader : public LabelledReader {
 public:
  IdxReader(const Path& images, const Path& labels, std::string name) : name_(std::move(name)) {
    Idx pixels = read_idx(images), classes = read_idx(labels);
    const bool shape = pixels.dims.size() == 3 || (pixels.dims.size() == 4 && (pixels.dims[3] == 1 || pixels.dims[3] == 3));
    check(shape, Kind::data, "{}: {} dimensions; pictures are N×H×W or N×H×W×3", images.string(), pixels.dims.size());
    check(classes.dims.size() == 1, Kind::data, "{}: {} dimensions; labels have one", labels.string(), classes.dims.size());
    check(pixels.dims[0] == classes.dims[0], Kind::data, "{}: {} pictures, but {} labels in {}", images.string(), pixels.dims[0],
          classes.dims[0], labels.filename().string());
    constexpr int64_t kLongest = 16384;
    check(pixels.dims[1] <= kLongest && pixels.dims[2] <= kLongest, Kind::data, "{}: pictures of {}×{}", images.string(), pixels.dims[2],
          pixels.dims[1]);
    size_ = {static_cast<int>(pixels.dims[2]), static_cast<int>(pixels.dims[1])};
    channels_ = pixels.dims.size() == 4 ? static_cast<int>(pixels.dims[3]) : 1;
    pixels_ = std::move(pixels.bytes);
    labels_.assign(classes.bytes.begin(), classes.bytes.end());
  }

  image::Picture open(int64_t i) const override {
    image::Image image(size_);
    const size_t values = image.pixels.size() / 3 * static_cast<size_t>(channels_);
    const uint8_t* from = pixels_.data() + static_cast<size_t>(i) * values;
    if (channels_ == 3) {
      std::copy_n(from, values, image.pixels.begin());
    } else {
      for (size_t p = 0; p < values; ++p) std::fill_n(image.pixels.begin() + static_cast<ptrdiff_t>(3 * p), 3, from[p]);
    }
    return {std::move(image), name(i)};
  }
  std::string name(int64_t i) const override { return fmt::format("{}[{}]", name_, i); }

 private:
  std::string name_;
  image::Size size_;
  int channels_ = 1;
  Bytes pixels_;
};

/// "<stem>-idx<rank>-ubyte", with a dot where some archives have one, plain or .gz; empty when there is none.
Path find_file(const Path& folder, const std::string& stem, const std::string& rank) {
  for (const char* joint : {"-idx", ".idx"})
    for (const char* end : {"", ".gz"})
      if (Path path = folder / (stem + joint + rank + "-ubyte" + end); std::filesystem::is_regular_file(path)) return path;
  return {};
}

Path images_of(const Path& folder, const std::string& split) {
  const Path path = find_file(folder, split + "-images", "3");
  return path.empty() ? find_file(folder, split + "-images", "4") : path;
}

/// Names of the files of a split: MNIST calls the second "t10k".
std::vector<std::string> val_stems(const DataOptions& options) {
  std::vector<std::string> names = val_names(options);
  if (options.val_split_name == "auto") names.insert(names.begin(), "t10k");
  return names;
}

std::string stem_of(const Path& folder, const std::vector<std::string>& names) {
  for (const std::string& name : names)
    if (!images_of(folder, name).empty()) return name;
  return {};
}

Part read_part(const Path& folder, const std::string& stem) {
  const Path labels = find_file(folder, stem + "-labels", "1");
  check(!labels.empty(), Kind::data, "{}: has {} but no {}-labels-idx1-ubyte (or .gz); put it there", folder.string(),
        images_of(folder, stem).filename().string(), stem);
  Part part;
  part.reader = std::make_shared<IdxReader>(images_of(folder, stem), labels, stem + "-images");
  int64_t count = 0;
  for (int64_t i = 0; i < part.reader->size(); ++i) count = std::max(count, part.reader->label(i) + 1);
  for (int64_t c = 0; c < count; ++c) part.classes.push_back(std::to_string(c));
  return part;
}

bool holds(const Path& path, const DataOptions& options) {
  return std::filesystem::is_directory(path) && !(stem_of(path, train_names(options)).empty() && stem_of(path, val_stems(options)).empty());
}

Layout find(const Path& path, const DataOptions& options) {
  const std::string train = stem_of(path, train_names(options)), val = stem_of(path, val_stems(options));
  check(!train.empty() || !val.empty(), Kind::data, "{}: no IDX files; they are called train-images-idx3-ubyte and so on, plain or .gz",
        path.string());
  Layout layout;
  if (!train.empty()) layout.train = [=] { return read_part(path, train); }, layout.train_name = images_of(path, train).filename().string();
  if (!val.empty()) layout.val = [=] { return read_part(path, val); }, layout.val_name = images_of(path, val).filename().string();
  layout.class_files = {path / "classes.txt"};
  layout.numbered = true;
  return layout;
}

}  // namespace

ReaderKind idx() { return {"idx", "IDX files as of MNIST and Fashion-MNIST, plain or gzipped", holds, find}; }

}  // namespace satchel::data
