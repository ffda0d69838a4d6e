// Reading and writing safetensors: equal to the package's bytes, and no header that lies gets past.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <fstream>

#include "satchel/base/error.h"
#include "satchel/weights/weights.h"

namespace satchel::weights {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

const Path kGolden = "tests/golden/nn/mixed.safetensors";  // tools/golden/nn_safetensors.py

class Safetensors : public testing::Test {
 protected:
  Safetensors() {
    std::string pattern = (std::filesystem::temp_directory_path() / "satchel-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
  }
  ~Safetensors() override { std::filesystem::remove_all(folder_); }

  /// The message with which `bytes` are refused; fails the test when they are not, or with another kind than data.
  std::string refusal(const std::string& bytes) {
    std::ofstream(folder_ / "x.pth", std::ios::binary) << bytes;
    try {
      File file(folder_ / "x.pth");
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), Kind::data);
      EXPECT_THAT(error.what(), AllOf(HasSubstr("x.pth"), Not(HasSubstr("\n"))));
      return error.what();
    }
    ADD_FAILURE() << "was read without complaint";
    return "";
  }
  std::string with_header(const std::string& header, size_t data) {
    std::string bytes(8, '\0');
    for (int i = 0; i < 8; ++i) bytes[static_cast<size_t>(i)] = static_cast<char>(header.size() >> (8 * i));
    return bytes + header + std::string(data, 'x');
  }

  Path folder_;
};

template <class T>
std::vector<T> values(const File& file, const std::string& name) {
  const Array* array = file.find(name);
  EXPECT_NE(array, nullptr) << name;
  std::vector<T> out(array->bytes.size() / sizeof(T));
  if (!out.empty()) std::memcpy(out.data(), array->bytes.data(), array->bytes.size());
  return out;
}

TEST_F(Safetensors, ReadsWhatThePackageWrote) {
  const File file(kGolden);
  EXPECT_EQ(file.arrays().size(), 10u);
  EXPECT_EQ(values<int64_t>(file, "b.long"), (std::vector<int64_t>{-1, 0, 1}));
  EXPECT_EQ(values<uint16_t>(file, "a.half"), (std::vector<uint16_t>{0x3E00, 0xC000}));
  EXPECT_EQ(values<float>(file, "é\"quoted"), (std::vector<float>{0.25f, -8.0f}));
  EXPECT_EQ(values<uint8_t>(file, "c.bool"), (std::vector<uint8_t>{1, 0, 1}));
  EXPECT_EQ(values<double>(file, "d.double"), (std::vector<double>{0, 1 / 7.0, 2 / 7.0, 3 / 7.0, 4 / 7.0, 5 / 7.0}));
  EXPECT_EQ(file.find("d.double")->shape, (std::vector<int64_t>{2, 3}));
  EXPECT_TRUE(file.find("e.scalar")->shape.empty());
  EXPECT_EQ(file.find("e.scalar")->count(), 1);
  EXPECT_EQ(file.find("f.empty")->count(), 0);
  EXPECT_EQ(values<uint16_t>(file, "g.bfloat"), (std::vector<uint16_t>{0x4049}));
  EXPECT_EQ(values<int32_t>(file, "i.int"), (std::vector<int32_t>{-1, 5}));
  EXPECT_THAT(file.metadata().at("made_by"), HasSubstr("\n\"ü\" <&>"));
  EXPECT_EQ(file.find("nothing"), nullptr);
}

TEST_F(Safetensors, WritesThePackagesBytesWhateverTheOrder) {
  const File file(kGolden);
  std::vector<Array> backwards(file.arrays().rbegin(), file.arrays().rend());
  write(folder_ / "again", backwards, file.metadata());
  EXPECT_EQ(read_file(folder_ / "again"), read_file(kGolden));
}

TEST_F(Safetensors, SurvivesTheRoundTripWithoutArraysOrMetadata) {
  write(folder_ / "empty", {}, {});
  const File file(folder_ / "empty");
  EXPECT_TRUE(file.arrays().empty());
  EXPECT_TRUE(file.metadata().empty());
}

TEST_F(Safetensors, RefusesEveryTruncation) {
  const Bytes whole = read_file(kGolden);
  const std::string text(whole.begin(), whole.end());
  for (size_t size = 0; size < text.size(); ++size) refusal(text.substr(0, size));
  EXPECT_THAT(refusal(text + "x"), HasSubstr("1 bytes belong to no array"));
}

TEST_F(Safetensors, RefusesHeadersThatLie) {
  const auto entry = [](const std::string& dtype, const std::string& shape, const std::string& offsets) {
    return R"({"a":{"dtype":")" + dtype + R"(","shape":)" + shape + R"(,"data_offsets":)" + offsets + "}}";
  };
  EXPECT_THAT(refusal(with_header(entry("F32", "[2]", "[0,12]"), 12)), HasSubstr("12 bytes where its shape and dtype need 8"));
  EXPECT_THAT(refusal(with_header(entry("F32", "[4]", "[0,16]"), 8)), HasSubstr("truncated"));
  EXPECT_THAT(refusal(with_header(entry("F32", "[2]", "[8,0]"), 8)), HasSubstr("damaged"));
  EXPECT_THAT(refusal(with_header(entry("F32", "[1]", "[4,8]"), 8)), HasSubstr("gap"));
  EXPECT_THAT(refusal(with_header(entry("F32", "[-2]", "[0,8]"), 8)), HasSubstr("shape"));
  EXPECT_THAT(refusal(with_header(entry("F32", "[2.0]", "[0,8]"), 8)), HasSubstr("shape"));
  EXPECT_THAT(refusal(with_header(entry("F32", "[4294967296,4294967296,2]", "[0,8]"), 8)), HasSubstr("impossible shape"));
  EXPECT_THAT(refusal(with_header(entry("F32", "[4611686018427387904,2]", "[0,0]"), 0)), HasSubstr("impossible shape"));
  EXPECT_THAT(refusal(with_header(entry("F32", "[2]", "[0,18446744073709551615]"), 8)), HasSubstr("damaged"));
  EXPECT_THAT(refusal(with_header(entry("F8_E4M3", "[8]", "[0,8]"), 8)), HasSubstr("F8_E4M3"));
  EXPECT_THAT(refusal(with_header(entry("F32", "2", "[0,8]"), 8)), HasSubstr("malformed"));
  EXPECT_THAT(refusal(with_header(R"({"a":{"dtype":"F32"}})", 0)), HasSubstr("lacks"));
  EXPECT_THAT(refusal(with_header(R"({"__metadata__":{"k":1}})", 0)), HasSubstr("metadata 'k'"));
  EXPECT_THAT(refusal(with_header(R"({"__metadata__":[]})", 0)), HasSubstr("__metadata__"));
  EXPECT_THAT(refusal(with_header("{\"a\":", 8)), HasSubstr("not a JSON table"));
  EXPECT_THAT(refusal(with_header("{}", 4)), HasSubstr("4 bytes belong to no array"));
  // Two arrays on the same bytes, and a name that occurs twice.
  const std::string a = R"("a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]})",
                    b = R"("b":{"dtype":"F32","shape":[2],"data_offsets":[0,8]})";
  EXPECT_THAT(refusal(with_header("{" + a + "," + b + "}", 8)), HasSubstr("overlaps"));
  EXPECT_THAT(refusal(with_header("{" + a + R"(,"a":{"dtype":"F32","shape":[2],"data_offsets":[8,16]}})", 16)), HasSubstr("gap"));
  std::string huge = with_header("{}", 0);
  huge[7] = '\x7f';
  EXPECT_THAT(refusal(huge), HasSubstr("not a safetensors file"));
}

TEST_F(Safetensors, NamesOtherTypesAndTheWayOut) {
  EXPECT_THAT(refusal(std::string("PK\x03\x04", 4) + std::string(26, '\0') + "archive/data.pkl"),
              AllOf(HasSubstr("PyTorch checkpoint (zip"), HasSubstr("torch.load"), HasSubstr("x.safetensors'")));
  EXPECT_THAT(refusal("\x80\x02\x8a\nl\xfc\x9c\x46\xf9 j\xa8P\x19."),
              AllOf(HasSubstr("PyTorch checkpoint (pickle"), HasSubstr("torch.load")));
  EXPECT_THAT(refusal(std::string("PK\x03\x04", 4) + "weights.npy"), HasSubstr("a zip archive"));
  EXPECT_THAT(refusal("\x89HDF\r\n\x1a\n...."), HasSubstr("Keras"));
  EXPECT_THAT(refusal("version https://git-lfs.github.com/spec/v1\n"), HasSubstr("git lfs pull"));
  EXPECT_THAT(refusal("not weights at all"), HasSubstr("not a safetensors file"));
  EXPECT_THAT(refusal(""), HasSubstr("0 bytes"));
}

TEST_F(Safetensors, TheConversionNeverOverwritesItsSource) {
  std::ofstream(folder_ / "a'b.safetensors", std::ios::binary) << "\x80\x02rest of a pickle";
  EXPECT_THAT([&] { File(folder_ / "a'b.safetensors"); },
              testing::ThrowsMessage<Error>(
                  testing::EndsWith("a'\\''b.safetensors' '" + (folder_ / "a'\\''b.converted.safetensors").string() + "'")));
}

TEST_F(Safetensors, ReadsForeignWeights) {
  const Path path = "../shared/data/weights/cifar_resnet20.safetensors";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << path << " is not beside this checkout";
  const File file(path);
  EXPECT_EQ(file.arrays().size(), 97u);
  EXPECT_EQ(file.find("conv1.weight")->shape, (std::vector<int64_t>{16, 3, 3, 3}));
}

}  // namespace
}  // namespace satchel::weights
