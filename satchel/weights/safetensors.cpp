// The safetensors format: an 8-byte length, a JSON header, then the arrays end to end. Reading trusts nothing in the header; writing is
// canonical (dtype, then name, as the safetensors package orders arrays; metadata by key), so that equal contents are equal bytes.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>
#include <string_view>

#include "satchel/base/error.h"
#include "satchel/weights/weights.h"

namespace satchel::weights {
namespace {

using nlohmann::json;

constexpr uint64_t kMaxHeader = 100'000'000;  // the reference implementation's limit

struct DtypeRow {
  Dtype dtype;
  const char* name;
  size_t bytes;
};
/// In the order in which the safetensors package writes them: widest alignment first.
constexpr DtypeRow kDtypes[] = {{Dtype::i64, "I64", 8},   {Dtype::f64, "F64", 8}, {Dtype::f32, "F32", 4}, {Dtype::i32, "I32", 4},
                                {Dtype::bf16, "BF16", 2}, {Dtype::f16, "F16", 2}, {Dtype::u8, "U8", 1},   {Dtype::boolean, "BOOL", 1}};

const DtypeRow& row_of(Dtype dtype) {
  return *std::find_if(std::begin(kDtypes), std::end(kDtypes), [&](const DtypeRow& row) { return row.dtype == dtype; });
}

uint64_t little_endian(const uint8_t* at) {
  uint64_t value = 0;
  for (int i = 7; i >= 0; --i) value = value << 8 | at[i];
  return value;
}

bool starts_with(std::span<const uint8_t> bytes, std::string_view magic) {
  return bytes.size() >= magic.size() && std::memcmp(bytes.data(), magic.data(), magic.size()) == 0;
}

/// In single quotes for a shell.
std::string quoted(const std::string& text) {
  std::string out = "'";
  for (char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

/// The line that turns a torch checkpoint into safetensors; it looks for the weights under the keys that trainers put them.
std::string conversion(const Path& path) {
  Path target = Path(path).replace_extension(".safetensors");
  if (target == path) target = Path(path).replace_extension(".converted.safetensors");
  return "python3 -c \"import sys, torch, safetensors.torch as s; d = torch.load(sys.argv[1], map_location='cpu'); "
         "d = next((d[k] for k in ('state_dict_ema', 'model_ema', 'state_dict', 'model') if k in d), d); "
         "s.save_file({k: v.detach().clone().contiguous() for k, v in d.items() if hasattr(v, 'detach')}, sys.argv[2])\" " +
         quoted(path.string()) + " " + quoted(target.string());
}

/// Throws for files that are recognisably something else.
void refuse_other_types(std::span<const uint8_t> bytes, const Path& path) {
  // The length of a header may begin with any bytes, a pickle's 0x80 too; its JSON begins behind them.
  if (bytes.size() > 8 && bytes[8] == '{') return;
  const std::string name = path.string();
  const auto pickle = [&](const char* type) { fail(Kind::data, "{}: {}, not safetensors; convert it: {}", name, type, conversion(path)); };
  if (starts_with(bytes, "PK\x03\x04")) {
    const std::string_view head(reinterpret_cast<const char*>(bytes.data()), std::min<size_t>(bytes.size(), 4096));
    if (head.find("data.pkl") != head.npos || head.find("/version") != head.npos) pickle("a PyTorch checkpoint (zip with a pickle)");
    fail(Kind::data, "{}: a zip archive, not safetensors; give a weights file", name);
  }
  if (bytes.size() > 1 && bytes[0] == 0x80 && bytes[1] >= 2 && bytes[1] <= 5) pickle("a PyTorch checkpoint (pickle, older than 1.6)");
  if (starts_with(bytes, "\x89HDF\r\n\x1a\n"))
    fail(Kind::data, "{}: an HDF5 file (Keras), not safetensors; export it as safetensors", name);
  if (starts_with(bytes, "GGUF")) fail(Kind::data, "{}: a GGUF file, not safetensors; give the original weights", name);
  if (starts_with(bytes, "version https://git-lfs"))
    fail(Kind::data, "{}: a Git LFS pointer, the weights themselves are not here; run `git lfs pull`", name);
}

/// One entry of the header; offsets are relative to the end of the header and not yet checked against their neighbours.
Array read_entry(const std::string& name, const json& entry, std::span<const uint8_t> data, const std::string& file) {
  const auto lie = [&](const std::string& what) {
    fail(Kind::data, "{}: damaged safetensors header: array '{}' {}; fetch the file again", file, name, what);
  };
  if (!entry.is_object() || !entry.contains("dtype") || !entry.contains("shape") || !entry.contains("data_offsets"))
    lie("lacks dtype, shape or data_offsets");
  const json &dtype = entry["dtype"], &shape = entry["shape"], &offsets = entry["data_offsets"];
  if (!dtype.is_string() || !shape.is_array() || !offsets.is_array() || offsets.size() != 2)
    lie("has a malformed dtype, shape or data_offsets");

  Array array;
  array.name = name;
  const auto row = std::find_if(std::begin(kDtypes), std::end(kDtypes), [&](const DtypeRow& r) { return dtype == r.name; });
  if (row == std::end(kDtypes))
    fail(Kind::data, "{}: array '{}' has dtype {}; satchel reads F64, F32, F16, BF16, I64, I32, U8 and BOOL: convert it", file, name,
         dtype.dump());
  array.dtype = row->dtype;

  uint64_t bytes = row->bytes;
  for (const json& side : shape) {
    if (!side.is_number_unsigned()) lie("has a malformed shape");
    const uint64_t n = side.get<uint64_t>();
    if (n > INT64_MAX || __builtin_mul_overflow(bytes, n, &bytes)) lie("has an impossible shape");
    array.shape.push_back(static_cast<int64_t>(n));
  }
  if (!offsets[0].is_number_unsigned() || !offsets[1].is_number_unsigned()) lie("has malformed data_offsets");
  const uint64_t begin = offsets[0].get<uint64_t>(), end = offsets[1].get<uint64_t>();
  if (begin > end || end > data.size()) lie(fmt::format("reaches byte {} of {}: the file may be truncated", end, data.size()));
  if (end - begin != bytes) lie(fmt::format("has {} bytes where its shape and dtype need {}", end - begin, bytes));
  array.bytes = data.subspan(begin, end - begin);
  return array;
}

Metadata read_metadata(const json& entry, const std::string& file) {
  check(entry.is_object(), Kind::data, "{}: damaged safetensors header: __metadata__ is not a table; fetch the file again", file);
  Metadata metadata;
  for (const auto& [key, value] : entry.items()) {
    check(value.is_string(), Kind::data, "{}: damaged safetensors header: metadata '{}' is not a text; fetch the file again", file, key);
    metadata[key] = value.get<std::string>();
  }
  return metadata;
}

}  // namespace

size_t item_bytes(Dtype dtype) { return row_of(dtype).bytes; }
const char* name_of(Dtype dtype) { return row_of(dtype).name; }

int64_t Array::count() const {
  int64_t n = 1;
  for (int64_t side : shape) n *= side;
  return n;
}

struct File::State {
  explicit State(const satchel::Path& at) : path(at), map(at) {}
  satchel::Path path;
  MappedFile map;
  std::vector<Array> arrays;
  std::map<std::string, size_t> index;
  Metadata metadata;
};

File::File(const satchel::Path& path) : state_(std::make_unique<State>(path)) {
  const std::string name = path.string();
  const std::span<const uint8_t> all = state_->map.bytes();
  refuse_other_types(all, path);
  check(all.size() >= 8, Kind::data, "{}: {} bytes are too few for a safetensors file; fetch it again", name, all.size());
  const uint64_t length = little_endian(all.data());
  const bool plausible = length >= 2 && length <= kMaxHeader && all.size() > 8 && all[8] == '{';
  check(plausible, Kind::data, "{}: not a safetensors file; give one (satchel writes best.safetensors into its run folders)", name);
  check(length <= all.size() - 8, Kind::data, "{}: truncated safetensors file: the header alone has {} bytes, the file {}; fetch it again",
        name, length, all.size());

  const auto* text = reinterpret_cast<const char*>(all.data() + 8);
  const json header = json::parse(text, text + length, nullptr, /*allow_exceptions=*/false);
  check(header.is_object(), Kind::data, "{}: damaged safetensors header: not a JSON table; fetch the file again", name);
  const std::span<const uint8_t> data = all.subspan(8 + length);
  for (const auto& [key, entry] : header.items()) {
    if (key == "__metadata__")
      state_->metadata = read_metadata(entry, name);
    else
      state_->arrays.push_back(read_entry(key, entry, data, name));
  }

  auto& arrays = state_->arrays;
  const auto place = [](const Array& a) { return std::pair(a.bytes.data(), a.bytes.size()); };
  std::stable_sort(arrays.begin(), arrays.end(), [&](const Array& a, const Array& b) { return place(a) < place(b); });
  const uint8_t* end = data.data();
  for (size_t i = 0; i < arrays.size(); end += arrays[i++].bytes.size()) {
    check(arrays[i].bytes.data() == end, Kind::data,
          "{}: damaged safetensors header: array '{}' overlaps its neighbour or leaves a gap; fetch the file again", name, arrays[i].name);
    state_->index[arrays[i].name] = i;
  }
  check(end == data.data() + data.size(), Kind::data, "{}: damaged safetensors file: {} bytes belong to no array; fetch it again", name,
        data.data() + data.size() - end);
}

File::~File() = default;
File::File(File&&) noexcept = default;
const std::vector<Array>& File::arrays() const { return state_->arrays; }
const Metadata& File::metadata() const { return state_->metadata; }
const satchel::Path& File::path() const { return state_->path; }
const Array* File::find(const std::string& name) const {
  const auto found = state_->index.find(name);
  return found == state_->index.end() ? nullptr : &state_->arrays[found->second];
}

Path file_of(const Path& given) {
  if (!std::filesystem::is_directory(given)) return given;
  for (const char* name : {"best.safetensors", "last.safetensors"})
    if (std::filesystem::exists(given / name)) return given / name;
  fail(Kind::data, "{}: holds neither best.safetensors nor last.safetensors; give a run folder or a weights file", given.string());
}

void write(const Path& path, const std::vector<Array>& arrays, const Metadata& metadata) {
  std::vector<const Array*> order;
  for (const Array& array : arrays) order.push_back(&array);
  const auto key = [](const Array* a) { return std::pair<const DtypeRow*, std::string_view>(&row_of(a->dtype), a->name); };
  std::sort(order.begin(), order.end(), [&](const Array* a, const Array* b) { return key(a) < key(b); });

  // Written by hand: the order of keys is part of the format here, and json would sort them.
  const auto text = [](const std::string& s) { return json(s).dump(-1, ' ', false, json::error_handler_t::replace); };
  std::string header = "{";
  if (!metadata.empty()) {
    header += "\"__metadata__\":{";
    for (const auto& [name, value] : metadata) header += fmt::format("{}{}:{}", header.back() == '{' ? "" : ",", text(name), text(value));
    header += "}";
  }
  uint64_t offset = 0;
  for (const Array* array : order) {
    const uint64_t end = offset + array->bytes.size();
    header += fmt::format("{}{}:{{\"dtype\":\"{}\",\"shape\":[{}],\"data_offsets\":[{},{}]}}", header.size() > 1 ? "," : "",
                          text(array->name), name_of(array->dtype), fmt::join(array->shape, ","), offset, end);
    offset = end;
  }
  header += "}";
  header.resize((header.size() + 7) / 8 * 8, ' ');

  write_atomic(path, [&](const WriteFn& put) {
    uint8_t length[8];
    for (int i = 0; i < 8; ++i) length[i] = static_cast<uint8_t>(uint64_t{header.size()} >> (8 * i));
    put(length, sizeof length);
    put(header.data(), header.size());
    for (const Array* array : order) put(array->bytes.data(), array->bytes.size());
  });
}

}  // namespace satchel::weights
