// TensorBoard's event file: TFRecord frames around three small protocol buffer messages, encoded here by hand
// (docs/decisions/0007-event-files-by-hand.md). Field numbers: tensorflow/core/util/event.proto, framework/summary.proto, tensor.proto.
// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <bit>
#include <cstring>

#include "satchel/report/report.h"

namespace satchel::report {
namespace {

/// Little-endian bytes of a number.
template <class T>
std::string raw(T value) {
  static_assert(std::endian::native == std::endian::little);
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

std::string varint(uint64_t value) {
  std::string out;
  for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
  return out + static_cast<char>(value);
}

/// A field of a message; the low three bits of its key say how its value is laid out.
std::string key(int field, int wire_type) { return varint(static_cast<uint64_t>(field) << 3 | static_cast<uint64_t>(wire_type)); }
/// proto3 leaves a plain field out when it is zero.
std::string integer(int field, int64_t value) { return value ? key(field, 0) + varint(static_cast<uint64_t>(value)) : std::string(); }
std::string number(int field, double value) { return key(field, 1) + raw(value); }
std::string number(int field, float value) { return key(field, 5) + raw(value); }
std::string bytes(int field, const std::string& value) { return key(field, 2) + varint(value.size()) + value; }

uint32_t masked_crc(const std::string& data) {
  const uint32_t crc = crc32c(data.data(), data.size());
  return (crc >> 15 | crc << 17) + 0xA282EAD8u;  // so that a checksum over data that holds checksums stays useful
}

void append_record(Journal& journal, const std::string& event) {
  const std::string length = raw(static_cast<uint64_t>(event.size()));
  journal.append(length + raw(masked_crc(length)) + event + raw(masked_crc(event)));
}

void append_event(Journal& journal, double wall_time, int64_t step, const std::string& summary_value) {
  // The file's first event names its format. It takes the time of the first value, from which TensorBoard counts relative time.
  if (journal.length() == 0) append_record(journal, number(1, wall_time) + bytes(3, "brain.Event:2"));
  append_record(journal, number(1, wall_time) + integer(2, step) + bytes(5, bytes(1, summary_value)));
}

Path event_file(const Path& folder) {
  make_folder(folder);
  return folder / "events.out.tfevents.satchel";  // one name for all sessions of a run, so that a resume goes on in the same file
}

}  // namespace

uint32_t crc32c(const void* data, size_t size) {
  static const std::array<uint32_t, 256> table = [] {
    std::array<uint32_t, 256> t{};
    for (uint32_t i = 0; i < 256; ++i) {
      t[i] = i;
      for (int bit = 0; bit < 8; ++bit) t[i] = t[i] >> 1 ^ (t[i] & 1 ? 0x82F63B78u : 0);
    }
    return t;
  }();
  uint32_t crc = ~0u;
  const auto* at = static_cast<const uint8_t*>(data);
  for (size_t i = 0; i < size; ++i) crc = crc >> 8 ^ table[(crc ^ at[i]) & 0xFF];
  return ~crc;
}

TensorBoard::TensorBoard(const Path& folder, int64_t keep) : journal_(event_file(folder), keep) {}

void TensorBoard::scalar(const std::string& tag, double value, int64_t step, double wall_time) {
  append_event(journal_, wall_time, step, bytes(1, tag) + number(2, static_cast<float>(value)));
}

void TensorBoard::text(const std::string& tag, const std::string& value, int64_t step, double wall_time) {
  constexpr int kString = 7, kTensorClass = 2;  // DT_STRING, DATA_CLASS_TENSOR
  const std::string shape = bytes(2, integer(1, 1));
  const std::string tensor = integer(1, kString) + bytes(2, shape) + bytes(8, value);
  const std::string metadata = bytes(1, bytes(1, "text")) + integer(4, kTensorClass);
  append_event(journal_, wall_time, step, bytes(1, tag) + bytes(8, tensor) + bytes(9, metadata));
}

void TensorBoard::flush() { journal_.flush(); }

int64_t TensorBoard::length() const { return journal_.length(); }

}  // namespace satchel::report
