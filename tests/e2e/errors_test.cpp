// Wrong inputs: each gives one line that says what, where and what to do, and the right exit code (2 usage, 3 data, 1 machine).
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

#include "tests/e2e/program.h"

namespace satchel::e2e {
namespace {

struct Wrong {
  std::string name;
  Arguments arguments;
  int code = 0;
  std::vector<std::string> says;  // each stands in the line
  int64_t file_limit = 0;
};

void keep_first(const Path& from, const Path& to, size_t bytes) {
  Bytes all = read_file(from);
  ASSERT_GT(all.size(), bytes);
  all.resize(bytes);
  std::filesystem::create_directories(to.parent_path());
  write_atomic(to, all);
}

/// Everything that the table refers to, in one folder: good data, bad data, bad recipes, a finished run and damaged copies of its files.
class Errors : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    scratch_ = std::make_unique<Scratch>();
    const Path here = scratch_->path();
    write_splits(here / "data", 3, 8, 2);
    make_data(here);
    make_recipes(here);
    const Ended run = e2e::run(tiny("data", {"--epochs", "1"}), here);
    ASSERT_EQ(run.code, 0) << run.err;
    const Path best = here / "runs/run/best.safetensors";
    keep_first(best, here / "short.safetensors", 20000);
    keep_first(best, here / "header.safetensors", 400);
    std::filesystem::create_directories(here / "torn");
    std::filesystem::copy(here / "runs/run", here / "torn/run", std::filesystem::copy_options::recursive);
    std::filesystem::resize_file(here / "torn/run/last.state", 30000);
    std::filesystem::create_directories(here / "odd");
    std::filesystem::copy(here / "runs/run", here / "odd/run", std::filesystem::copy_options::recursive);
    write_atomic(here / "odd/run/env.json", "{\"data\": 5}");
    write_atomic(here / "pickle.pth", std::string("PK\x03\x04") + std::string(26, '\0') + "archive/data.pkl");
    write_atomic(here / "old.pth", std::string_view("\x80\x02\x8a\x0a", 4));
  }
  static void TearDownTestSuite() { scratch_.reset(); }

  static void make_data(const Path& here) {
    const auto copy = [&](const char* to) { std::filesystem::copy(here / "data", here / to, std::filesystem::copy_options::recursive); };
    std::filesystem::create_directories(here / "empty");
    copy("emptyclass"), std::filesystem::create_directories(here / "emptyclass/train/d");
    write_classes(here / "one", 1, 3);
    copy("strangers"), std::filesystem::rename(here / "strangers/val/b", here / "strangers/val/zebra");
    copy("broken"), write_atomic(here / "broken/train/a/000.png", "\x89PNG\r\n\x1a\n and nothing more");
    copy("heic"), write_atomic(here / "heic/train/a/000.png", std::string("\0\0\0\x18"
                                                                          "ftypheic\0\0\0\0mif1heic",
                                                                          24));
    write_classes(here / "five/val", 5, 2);
    write_classes(here / "latin", 2, 4), std::filesystem::rename(here / "latin/a", here / "latin" / "caf\xe9");
    write_atomic(here / "notes.pdf", "%PDF-1.4 no picture\n");
    std::filesystem::create_directories(here / "table"), write_atomic(here / "table/ledger.json", "{}");
    std::filesystem::create_directories(here / "rubbish"), write_atomic(here / "rubbish/x.png", "");
    std::filesystem::create_directories(here / "torn-idx");
    for (const char* file : {"train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"})
      write_atomic(here / "torn-idx" / file, std::string_view("\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\x63\x60\x60", 13));
    write_atomic(here / "list.csv", "path,label\ndata/train/a/000.png,a\ndata/train/nowhere.png\n");
    write_atomic(here / "draws.jsonl", "{\"picture\": \"x\", \"ops\": []}\n{\"picture\": \"y\", \"boxes\": []}\n");
  }

  static void make_recipes(const Path& here) {
    write_atomic(here / "misspelt.toml", "extends = \"plain\"\n\noptimizer = { sgd = { lr = 0.1, momentun = 0.9 } }\n");
    write_atomic(here / "section.toml", "extends = \"plain\"\n[trian]\nbatch = 8\n");
    write_atomic(here / "grammar.toml", "extends = \"plain\"\nmodel = \n");
    write_atomic(here / "type.toml", "extends = \"plain\"\n[train]\nbatch = \"many\"\n");
    write_atomic(here / "range.toml", "extends = \"plain\"\n[train]\nsmoothing = 1.5\n");
    write_atomic(here / "circle.toml", "extends = \"ring.toml\"\n");
    write_atomic(here / "ring.toml", "extends = \"circle.toml\"\n");
    write_atomic(here / "orphan.toml", "extends = \"nobody.toml\"\n");
  }

  static std::unique_ptr<Scratch> scratch_;
};
std::unique_ptr<Scratch> Errors::scratch_;

/// One epoch with something wrong about it.
Arguments on(const std::string& data, const Arguments& more = {}) {
  Arguments all = tiny(data, {"--epochs", "1", "--name", "x"});
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

Arguments good(const Arguments& more) { return on("data", more); }

std::vector<Wrong> wrong_data() {
  return {
      {"missing folder", on("nowhere"), 3, {"nowhere: no such file or folder", "give a folder"}},
      {"no data", {"train"}, 2, {"no data", "satchel train FOLDER"}},
      {"empty folder", on("empty"), 3, {"empty: ", "class folders"}},
      {"empty class", on("emptyclass"), 3, {"emptyclass", "no picture in the class folder d", "remove it or add pictures"}},
      {"one class", on("one"), 3, {"one: a single class, 'a'", "two or more"}},
      {"validation class unknown", on("strangers"), 3, {"strangers/val", "unknown class zebra", "known are a, b, c"}},
      {"a file that is no data", on("notes.pdf"), 3, {"notes.pdf: ", "list (.csv, .tsv, .txt)"}},
      {"truncated IDX", on("torn-idx"), 3, {"torn-idx/train-", "damaged", "fetch it again"}},
      {"list with a torn line", on("list.csv"), 3, {"list.csv:3: ", "data/train/nowhere.png"}},
      {"named split missing", good({"--val-split", "exam"}), 3, {"data: ", "'exam'", "train, val"}},
      {"share out of range", good({"--val-split", "2"}), 2, {"--val-split", "data.val_split", "must be in (0, 1)"}},
      {"batch larger than data", good({"-b", "1000"}), 2, {"a batch of 1000", "24 pictures", "use a batch of at most 24"}},
      {"another number of classes", good({"--num-classes", "10"}), 2, {"--num-classes 10: ", "data has 3 classes", "leave the flag out"}},
      {"broken picture", on("broken"), 3, {"a/000.png: ", "--bad-files skip"}},
      {"too many broken pictures",
       on("broken", {"--bad-files", "skip", "--bad-files-limit", "0"}),
       3,
       {"1 picture", "bad_files_limit = 0"}},
      {"HEIC picture", on("heic"), 3, {"a/000.png: ", "HEIC", "convert"}},
      {"only broken pictures to predict",
       {"predict", "rubbish", "--weights", "runs/run"},
       3,
       {"no picture could be read", "rubbish/x.png", "empty file"}},
      {"nothing to predict", {"predict", "empty", "--weights", "runs/run"}, 3, {"empty: no pictures found"}},
      {"missing picture to predict", {"predict", "nowhere.png", "--weights", "runs/run"}, 3, {"nowhere.png: "}},
      {"missing picture to preview", {"preview", "nowhere.png", "--eval"}, 3, {"nowhere.png: "}},
      {"weights without their view", {"preview", "data", "--weights", "runs/run"}, 2, {"--weights has no effect without --eval"}},
      {"draws of the evaluation view", {"preview", "data", "--eval", "--replay", "draws.jsonl"}, 2, {"--replay has no effect", "--eval"}},
      {"number beyond all", good({"--lr", "inf"}), 2, {"--lr: optimizer.sgd.lr = inf", "single precision"}},
      {"time that is none", good({"--max-hours", "nan"}), 2, {"--max-hours nan", "give hours"}},
      {"evaluation by the clock", good({"--set", "evaluate.every=5 minutes"}), 2, {"evaluate.every = \"5 minutes\"", "give epochs"}},
      {"evaluation of nothing", good({"--set", "evaluate.every=0 epochs"}), 2, {"evaluate.every = \"0 epochs\"", "more than none"}},
      {"more batches an update than there are",
       good({"--grad-accum-steps", "9"}),
       2,
       {"train.accumulate = 9", "the 3 of an epoch (24 pictures)"}},
      {"class that is not UTF-8", on("latin"), 3, {"latin", "is not UTF-8", "rename it"}},
      {"resume that trains nothing", {"train", "--resume", "runs/run", "--dry-run"}, 2, {"--dry-run cannot be given"}},
      {"resume under a name", {"train", "--resume", "runs/run", "--name", "y"}, 2, {"--name cannot be given"}},
      {"resume that is endless", {"train", "--resume", "runs/run", "--epochs", "nan"}, 2, {"--epochs: a number with a unit is needed"}},
      {"run that does not say its data", {"train", "--resume", "odd/run"}, 3, {"odd/run/env.json: damaged"}},
      {"table in a run", {"repro", "rsb-fig2", "--scale", "small", "--output", "runs/run"}, 2, {"runs/run: the folder of a run"}},
      {"seeds without end", {"repro", "rsb-fig2", "--seeds", "1000000000", "--dry-run"}, 2, {"--seeds 1000000000: give 1 to 1024"}},
      {"run beside itself", {"report", "runs/run", "runs/../runs/run"}, 2, {"are the same run"}},
      {"labels of no file", {"val", "data", "--weights", "runs/run", "--real", ""}, 2, {"--real: is empty", "leave it out"}},
      {"malformed replay", good({"--replay", "draws.jsonl"}), 3, {"draws.jsonl:2: ", "'boxes'", "its keys are"}},
      {"missing replay", good({"--replay", "none.jsonl"}), 3, {"none.jsonl: "}},
  };
}

std::vector<Wrong> wrong_weights() {
  const auto val = [](const std::string& weights, Arguments more = {}) {
    Arguments all = {"val", "data", "--weights", weights, "--device", "cpu", "--threads", "1"};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  };
  return {
      {"missing weights", val("none.safetensors"), 3, {"none.safetensors: "}},
      {"no weights", {"val", "data"}, 2, {"no weights", "--weights FILE"}},
      {"truncated safetensors", val("short.safetensors"), 3, {"short.safetensors: ", "truncated", "fetch"}},
      {"truncated header", good({"--pretrained", "header.safetensors"}), 3, {"header.safetensors: truncated", "fetch it again"}},
      {"torch pickle", val("pickle.pth"), 3, {"pickle.pth: a PyTorch checkpoint", "convert it: python3 -c"}},
      {"old torch pickle", good({"--pretrained", "old.pth"}), 3, {"old.pth: ", "pickle"}},
      {"weights of another network",
       val("runs/run", {"--model", "cifar_resnet20"}),
       3,
       {"best.safetensors: weights of another network", "give the model"}},
      {"other classes", {"val", "five", "--weights", "runs/run"}, 3, {"five/val", "unknown classes d, e", "known are a, b, c"}},
      {"folder without weights", val("data"), 3, {"data: holds neither best.safetensors nor last.safetensors"}},
      {"truncated state", {"train", "--resume", "torn/run"}, 3, {"torn/run/last.state: ", "truncated", "again"}},
      {"no run to resume", {"train", "--resume", "--output", "empty"}, 2, {"--resume: no run folder under empty", "--resume RUN"}},
      {"resume of no run", {"train", "--resume", "data"}, 2, {"data: not a run folder", "recipe.toml"}},
      {"resume with a flag of the recipe",
       {"train", "--resume", "runs/run", "--lr", "0.3"},
       2,
       {"--resume", "--lr cannot be given", "start a new run"}},
      {"resume with a recipe", {"train", "--resume", "--recipe", "plain"}, 2, {"--resume", "--recipe cannot be given"}},
      {"resume with fewer epochs", {"train", "--resume", "runs/run", "--epochs", "1"}, 2, {"already 1 epoch long", "give a larger number"}},
      {"test only without weights", good({"--test-only"}), 2, {"--test-only needs weights", "--pretrained FILE"}},
  };
}

std::vector<Wrong> wrong_recipes() {
  const auto recipe = [](const std::string& file) { return Arguments{"train", "data", "--recipe", file}; };
  return {
      {"misspelt option", recipe("misspelt.toml"), 2, {"misspelt.toml:3: optimizer.sgd has no option 'momentun' (did you mean momentum?)"}},
      {"misspelt section", recipe("section.toml"), 2, {"section.toml:2: ", "trian", "did you mean train?"}},
      {"broken TOML", recipe("grammar.toml"), 2, {"grammar.toml:2: "}},
      {"wrong type", recipe("type.toml"), 2, {"type.toml:3: train.batch", "a whole number"}},
      {"out of range", recipe("range.toml"), 2, {"range.toml:3: train.smoothing = 1.5", "must be in [0, 1)"}},
      {"circle of recipes", recipe("circle.toml"), 2, {"ring.toml:1: extends circle.toml", "a circle"}},
      {"missing parent", recipe("orphan.toml"), 2, {"orphan.toml:1: ", "nobody.toml"}},
      {"unknown recipe", recipe("plian"), 2, {"plian", "did you mean plain?"}},
      {"unknown network", good({"--model", "cifar_resnet9"}), 2, {"--model: model has no 'cifar_resnet9'", "did you mean cifar_resnet8?"}},
      {"unknown optimizer", good({"--opt", "sdg"}), 2, {"--opt: optimizer has no 'sdg'", "did you mean sgd?"}},
      {"unknown schedule", good({"--sched", "cosin"}), 2, {"--sched: schedule has no 'cosin'", "did you mean cosine?"}},
      {"set without =", good({"--set", "train.batch"}), 2, {"--set", "train.batch", "="}},
      {"set of an unknown table", good({"--set", "tarin.batch=8"}), 2, {"--set", "tarin", "did you mean train?"}},
      {"set of a wrong type", good({"--set", "train.batch=many"}), 2, {"--set: train.batch", "a whole number"}},
      {"set out of range", good({"--set", "train.batch=0"}), 2, {"--set: train.batch = 0", "must be in [1, "}},
      {"side 0", good({"--img-size", "0"}), 2, {"--img-size 0", "from 1 to 65536"}},
      {"unknown precision", good({"--precision", "fp31"}), 2, {"train.precision = \"fp31\"", "fp32, bf16"}},
      {"loss scale in fp32", good({"--loss-scale", "dynamic"}), 2, {"train.loss_scale has no effect in fp32"}},
      {"least rate of a constant", good({"--min-lr", "0.01"}), 2, {"--min-lr has no effect", "constant", "cosine"}},
      {"mixing that ends before it begins",
       good({"--mixup", "0.2", "--mixup-off-last", "20"}),
       2,
       {"mixing.off_last = 20", "none would be mixed", "--mixup-off-last"}},
      {"warm-up longer than the run", good({"--warmup-epochs", "5"}), 2, {"a warm-up of 5 epochs", "longer than the run", "shorten"}},
      {"mixing without mix", good({"--mixup-prob", "0.5"}), 2, {"--mixup-prob: mixing.prob has no effect", "--mixup 0.2"}},
      {"zero γ without shortcuts",
       good({"--model", "cifar_plain8", "--set", "model.cifar_plain8.zero_init_last=true"}),
       2,
       {"model.cifar_plain8 has no option 'zero_init_last'"}},
      {"drop path without shortcuts",
       good({"--model", "cifar_plain8", "--drop-path", "0.1"}),
       2,
       {"--drop-path has no effect", "cifar_plain8"}},
      {"Nesterov without momentum", good({"--set", "optimizer.sgd.nesterov=true"}), 2, {"nesterov needs momentum", "set momentum"}},
      {"EMA warm-up without EMA", good({"--model-ema-warmup"}), 2, {"--model-ema-warmup has no effect", "add --model-ema"}},
      {"two rates", good({"--lr-base", "0.1"}), 2, {"lr and lr_base"}},
      {"clip mode without clipping", good({"--clip-mode", "value"}), 2, {"train.clip_mode has no effect without train.clip_grad"}},
      {"dtype without autocast", good({"--amp-dtype", "float16"}), 2, {"--amp-dtype has no effect without --amp"}},
      {"negative length", good({"--epochs", "-1"}), 2, {"--epochs", "-1"}},
      {"less than a step", good({"--set", "train.length=0.1 epochs"}), 2, {"train.length = \"0.1 epochs\" is less than a step"}},
      {"no process", {"recipe", "to-timm", "rsb-a2", "--world", "0"}, 2, {"--world 0: give 1 or more"}},
      {"version of the other direction", {"recipe", "to-timm", "rsb-a2", "--timm-version", "0.4"}, 2, {"--timm-version is of from-timm"}},
      {"settings of the other direction", {"recipe", "from-timm", "x.yaml", "--set", "a=1"}, 2, {"--set is of to-timm"}},
  };
}

std::vector<Wrong> wrong_words() {
  return {
      {"misspelt flag", good({"--epoch", "3"}), 2, {"no option --epoch", "did you mean --epochs?"}},
      {"misspelt verb", {"trian", "data"}, 2, {"no verb 'trian'", "did you mean train?"}},
      {"two folders", {"train", "data", "one"}, 2, {"one", "train --help"}},
      {"flag without its value", {"train", "data", "--output"}, 2, {"--output", "train --help"}},
      {"text for a number", good({"--max-hours", "soon"}), 2, {"--max-hours", "soon"}},
      {"unknown choice", {"val", "data", "--weights", "runs/run", "--exif", "turn"}, 2, {"--exif", "ignore", "apply"}},
      {"batch 0", {"val", "data", "--weights", "runs/run", "-b", "0"}, 2, {"--batch-size 0: give 1 or more"}},
      {"batch -1", {"predict", "data", "--weights", "runs/run", "-b", "-1"}, 2, {"--batch-size -1: give 1 or more"}},
      {"threads -1", {"val", "data", "--weights", "runs/run", "--threads", "-1"}, 2, {"--threads -1: give 1 or more"}},
      {"top 0", {"predict", "data", "--weights", "runs/run", "--topk", "0"}, 2, {"--topk 0", "1 or more"}},
      {"report of a table", {"report", "table"}, 2, {"table: a table's folder", "report.html"}},
      {"explain of nothing", {"explain", "los", "bce"}, 2, {"los"}},
      {"loaders below none", good({"--workers", "-5"}), 2, {"--workers -5", "from 0"}},
      {"unknown device", good({"--device", "tpu"}), 2, {"--device tpu: unknown", "cuda:N"}},
      {"absent device", good({"--device", "cuda:99"}), 1, {"--device cuda:99"}},
      {"output under a file", good({"--output", "notes.pdf/runs"}), 1, {"notes.pdf/runs", "cannot create the folder"}},
      {"output where nobody may write", good({"--output", "/proc/satchel"}), 1, {"/proc/satchel", "cannot create the folder"}},
      {"result that cannot be written", {"val", "data", "--weights", "runs/run", "--json", "nowhere/a.json"}, 1, {"nowhere/a.json"}},
      {"disk full", good({"--name", "full"}), 1, {"full/", "File too large"}, 100000},
  };
}

TEST_F(Errors, EachWrongInputGivesOneLineAndItsExitCode) {
  std::vector<Wrong> table;
  for (auto part : {wrong_data(), wrong_weights(), wrong_recipes(), wrong_words()}) table.insert(table.end(), part.begin(), part.end());
  ASSERT_GE(table.size(), 40u);
  constexpr size_t kAtOnce = 4;
  for (size_t first = 0; first < table.size(); first += kAtOnce) {
    std::vector<std::unique_ptr<Running>> running;
    const size_t end = std::min(table.size(), first + kAtOnce);
    for (size_t i = first; i < end; ++i)
      running.push_back(std::make_unique<Running>(table[i].arguments, scratch_->path(), table[i].file_limit));
    for (size_t i = first; i < end; ++i) {
      const Wrong& wrong = table[i];
      const Ended ended = running[i - first]->wait();
      SCOPED_TRACE(wrong.name + "\n" + ended.err);
      EXPECT_EQ(ended.code, wrong.code);
      const std::string line = ended.last_line();
      EXPECT_TRUE(line.starts_with("satchel: "));
      for (const std::string& fragment : wrong.says) EXPECT_THAT(line, ::testing::HasSubstr(fragment));
      // The one line: nothing before it speaks as the program.
      EXPECT_EQ(ended.err.find("satchel: "), ended.err.size() - line.size() - 1);
    }
  }
  std::vector<std::string> left;
  for (const auto& entry : std::filesystem::directory_iterator(*scratch_ / "runs")) left.push_back(entry.path().filename());
  EXPECT_THAT(left, ::testing::UnorderedElementsAre("run", "full", "x", "x-2", "x-3"))
      << "a run that never began leaves no folder; three met a broken picture on their way";
}

TEST_F(Errors, AFinishedRunHasNothingToResume) {
  const Ended ended = run({"train", "--resume", "runs/run", "--result", "-"}, scratch_->path());
  EXPECT_EQ(ended.code, 0);
  EXPECT_THAT(ended.err, ::testing::HasSubstr("already finished"));
  EXPECT_THAT(ended.out, ::testing::HasSubstr("\"best_metric\":"));
  EXPECT_THAT(ended.err, ::testing::HasSubstr("--resume --epochs N"));
}

TEST_F(Errors, APictureThatCannotBeReadIsARowOfItsOwn) {
  write_picture(*scratch_ / "two/1.png", 1, 900);
  write_atomic(*scratch_ / "two/0.png", "no picture");
  const Ended ended = run({"predict", "two", "--weights", "runs/run", "--format", "csv", "--topk", "1"}, scratch_->path());
  EXPECT_EQ(ended.code, 0) << ended.err;
  EXPECT_THAT(ended.out, ::testing::StartsWith("filename,rank,class,index,probability,error\n"));
  EXPECT_THAT(ended.out, ::testing::ContainsRegex("two/0.png,,,,,.*text"));
  EXPECT_THAT(ended.out, ::testing::ContainsRegex("two/1.png,1,[abc],[012],[01]\\.[0-9]+,\n"));
}

}  // namespace
}  // namespace satchel::e2e
