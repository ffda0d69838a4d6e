// Trace files: what is written is read back, and what is no trace is refused with file and line.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "tests/augment/op.h"

namespace satchel::augment {
namespace {

using ::testing::HasSubstr;

const char* const kLine =
    R"({"picture":"train/cat/1.jpg","epoch":2,"place":17,"copy":1,"ops":[{"random_resized_crop":{"x":3,"y":4,"width":50,"height":60,)"
    R"("interpolation":"bicubic"}},{"hflip":{"flip":true}},{"center_crop":{}}],"mix":{"partner":5,"lambda":0.75,"x":1,"y":2,"width":8,"height":9}})";

TEST(Trace, IsTheDocumentedLine) {
  const TraceLine line = trace_from_json(kLine, "here");
  EXPECT_EQ(line.picture, "train/cat/1.jpg");
  EXPECT_EQ(line.epoch, 2);
  EXPECT_EQ(line.place, 17);
  EXPECT_EQ(line.copy, 1u);
  ASSERT_EQ(line.trace.steps.size(), 3u);
  EXPECT_EQ(line.trace.steps[0].op, "random_resized_crop");
  EXPECT_EQ(number(line.trace.steps[0].drawn, "width"), 50);
  EXPECT_EQ(*line.trace.steps[0].drawn.find("interpolation")->text(), "bicubic");
  EXPECT_EQ(line.trace.mix, (MixRow{5, 0.75f, 1, 2, 8, 9}));
  EXPECT_EQ(to_json(line), kLine);
}

TEST(Trace, KeepsNumbersExactly) {
  TraceLine line;
  line.picture = "a \"quoted\" näme";
  recipe::Table drawn;
  drawn.set("level", recipe::Value(0.1));
  drawn.set("whole", recipe::Value(3.0));
  drawn.set("big", recipe::Value(int64_t{1} << 60));
  line.trace.steps.push_back({"op", drawn});
  line.trace.mix = MixRow{.partner = 1, .lambda = 0.1f};
  const TraceLine back = trace_from_json(to_json(line), "here");
  EXPECT_EQ(back.picture, line.picture);
  EXPECT_EQ(back.epoch, std::nullopt);
  EXPECT_EQ(std::get<double>(back.trace.steps[0].drawn.find("level")->data), 0.1);
  EXPECT_EQ(std::get<double>(back.trace.steps[0].drawn.find("whole")->data), 3.0);
  EXPECT_EQ(std::get<int64_t>(back.trace.steps[0].drawn.find("big")->data), int64_t{1} << 60);
  EXPECT_EQ(back.trace.mix, line.trace.mix);
}

TEST(Trace, RefusesWhatIsNone) {
  const auto error = [](const char* text) { return error_of(Kind::data, [&] { trace_from_json(text, "t.jsonl:3"); }); };
  for (const char* text :
       {"", "{", "7", "[]", R"({"picture":"a"})", R"({"picture":"a","ops":[7]})", R"({"picture":1,"ops":[]})",
        R"({"ops":[{"a":{},"b":{}}]})", R"({"ops":[],"mix":{}})", R"({"ops":[{"hflip":{"flip":null}}]})", R"({"ops":7})"})
    EXPECT_THAT(error(text), HasSubstr("t.jsonl:3: ")) << text;
  EXPECT_THAT(error(R"({"ops":[],"operations":[]})"), HasSubstr("has no 'operations'"));
}

class TraceFiles : public ::testing::Test {
 protected:
  TraceFile read(const std::string& text) {
    write_atomic(path_, std::string_view(text));
    return TraceFile(path_);
  }
  void TearDown() override { std::filesystem::remove(path_); }
  Path path_ = Path(::testing::TempDir()) / "satchel_trace_test.jsonl";
};

TEST_F(TraceFiles, AreLookedUpByPlaceAndByName) {
  const TraceFile file =
      read(std::string(kLine) + "\n\r\n" + R"({"picture":"b","ops":[]})" + "\n" + R"({"picture":"b","ops":[{"hflip":{"flip":false}}]})");
  EXPECT_EQ(file.lines().size(), 3u);
  ASSERT_NE(file.at(2, 17, "1.jpg"), nullptr);
  EXPECT_TRUE(file.has_places());
  EXPECT_EQ(file.at(2, 17, "elsewhere/1.jpg")->steps.size(), 3u);
  EXPECT_EQ(file.at(2, 18, "1.jpg"), nullptr);
  EXPECT_EQ(file.at(1, 17, "1.jpg"), nullptr);
  ASSERT_NE(file.of("b"), nullptr);
  EXPECT_TRUE(file.of("b")->steps.empty());
  EXPECT_EQ(file.of("c"), nullptr);
  EXPECT_EQ(file.of("elsewhere/b"), file.of("b"));
  EXPECT_EQ(file.of("1.jpg"), file.at(2, 17, "1.jpg"));
  const TraceFile twins = read(R"({"picture":"a/1.jpg","ops":[]})"
                               "\n"
                               R"({"picture":"b/1.jpg","ops":[]})");
  EXPECT_NE(twins.of("b/1.jpg"), nullptr);
  EXPECT_EQ(twins.of("c/1.jpg"), nullptr);
  EXPECT_FALSE(twins.has_places());
}

TEST_F(TraceFiles, BelongToThePicturesTheyWereRecordedOf) {
  const TraceFile file = read(std::string(kLine) + "\n" + R"({"epoch":0,"place":0,"ops":[]})");
  EXPECT_THAT(error_of(Kind::usage, [&] { file.at(2, 17, "train/cat/2.jpg"); }),
              HasSubstr("place 17 of epoch 2 is train/cat/1.jpg, and here it is train/cat/2.jpg"));
  EXPECT_NE(file.at(0, 0, "train/cat/2.jpg"), nullptr) << "a line without a name fits every picture";
}

TEST_F(TraceFiles, NameTheLineThatIsWrong) {
  EXPECT_THAT(error_of(Kind::data, [&] { read(std::string(kLine) + "\nnonsense\n"); }), HasSubstr("trace_test.jsonl:2: "));
  EXPECT_THAT(error_of(Kind::data, [&] { read(std::string(kLine) + "\n" + kLine); }),
              HasSubstr(":2: place 17 of epoch 2 is recorded twice"));
  EXPECT_THAT(error_of(Kind::data, [&] { read("\n"); }), HasSubstr("holds no trace"));
  EXPECT_THAT(error_of(Kind::data, [&] { TraceFile("/nowhere/trace.jsonl"); }), HasSubstr("/nowhere/trace.jsonl"));
}

}  // namespace
}  // namespace satchel::augment
