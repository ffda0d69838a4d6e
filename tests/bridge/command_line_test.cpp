// Commands as people keep them: launchers, continued lines, quotes, configuration files.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/bridge/convert.h"
#include "tests/error_of.h"
#include "tests/scratch.h"

namespace satchel::bridge {
namespace {

std::string given(const Invocation& invocation, const std::string& name) {
  std::string words = "absent";
  for (const Given& g : invocation.given)
    if (g.name == name) {
      words.clear();
      for (const std::string& word : g.words) words += (words.empty() ? "" : " ") + word;
    }
  return words;
}

TEST(CommandLine, LaunchersSayHowManyProcesses) {
  for (const auto& [command, world] :
       {std::pair{"python train.py", 1}, std::pair{"torchrun --nproc-per-node 4 train.py", 4},
        std::pair{"torchrun --nproc_per_node=2 --nnodes 2 train.py", 4},
        std::pair{"python3 -m torch.distributed.launch --nproc_per_node=8 ./train.py", 8}, std::pair{"./distributed_train.sh 4 /data", 4},
        std::pair{"accelerate launch --num_processes 3 train.py", 3},
        std::pair{"CUDA_VISIBLE_DEVICES=0 python pytorch-image-models/train.py /data --local_rank 0", 1}})
    EXPECT_EQ(read_command(split(command)).world, world) << command;
  EXPECT_EQ(error_of(Kind::usage, [] { read_command(split("torchrun --nproc-per-node gpu train.py")); }),
            "--nproc-per-node gpu: the number of processes is needed; write it out, or leave the launcher away and give --world N");
  EXPECT_EQ(error_of(Kind::usage, [] { read_command(split("./distributed_train.sh /data")); }),
            "./distributed_train.sh: the number of processes is needed behind it");
}

TEST(CommandLine, ArgumentsAreReadAsArgparseDoes) {
  const Invocation read =
      read_command(split("python train.py --scale 0.3 1 /data --lr=0.1 -b128 -vb 64 --amp --aug-rep 3 --model-kwargs zero_init_last=False "
                         "--lr 0.2 --torchcompile"));
  EXPECT_EQ(given(read, "data"), "/data");
  EXPECT_EQ(given(read, "scale"), "0.3 1");
  EXPECT_EQ(given(read, "lr"), "0.2");
  EXPECT_EQ(given(read, "batch_size"), "128");
  EXPECT_EQ(given(read, "validation_batch_size"), "64");
  EXPECT_EQ(given(read, "amp"), "true");
  EXPECT_EQ(given(read, "aug_repeats"), "3");
  EXPECT_EQ(given(read, "model_kwargs"), "zero_init_last=False");
  EXPECT_EQ(given(read, "torchcompile"), "inductor");
}

TEST(CommandLine, UnknownArgumentsAreRefusedWithASuggestion) {
  EXPECT_EQ(error_of(Kind::usage, [] { from("--smoothin-g 0.1"); }),
            "--smoothin-g: timm's train.py has no such argument (did you mean --smoothing?); leave it out");
  EXPECT_EQ(error_of(Kind::usage, [] { from("--lr"); }), "--lr: a value is needed behind it");
  EXPECT_EQ(error_of(Kind::usage, [] { read_command({"python", "main.py"}); }).substr(0, 32), "no train.py in 'python main.py':");
}

TEST(CommandLine, ATextIsReadAsAShellWould) {
  const Scratch scratch;
  write_atomic(scratch / "run.sh",
               "#!/bin/bash\nset -e\necho 'train.py is # next' # and a comment\ncd work && torchrun --nproc-per-node=2 \\\n  train.py "
               "\"/my data\" \\\n  --lr 0.1 --model 'resnet50' # the end\n");
  const Invocation read = read_file(scratch / "run.sh");
  EXPECT_EQ(read.world, 2);
  EXPECT_EQ(given(read, "data"), "/my data");
  EXPECT_EQ(given(read, "model"), "resnet50");
  EXPECT_EQ(given(read, "lr"), "0.1");
}

TEST(CommandLine, RedirectionsAreNoneOfItAndOtherCommandsAreNamed) {
  const Scratch scratch;
  write_atomic(scratch / "run.sh",
               "if true; then python train.py /a --lr 0.1 2>&1 > out.log | tee log; fi\npython train.py /b --lr '0.2'\n");
  const Invocation read = read_file(scratch / "run.sh");
  EXPECT_EQ(read.source, "python train.py /a --lr 0.1");
  EXPECT_EQ(given(read, "data"), "/a");
  EXPECT_EQ(read.others, std::vector<std::string>{"python train.py /b --lr 0.2"});
  EXPECT_EQ(from_timm(read, one_network()).noted[0].what, "python train.py /b --lr 0.2");
  EXPECT_EQ(error_of(Kind::usage,
                     [] {
                       read_command({"python", "train.py", "/a", "/b c"});
                     }),
            "'/b c': train.py takes one folder of data, and it stands before; leave it out, or put it behind its flag");
}

TEST(CommandLine, AQuoteThatIsNeverClosedSwallowsNothing) {
  const Scratch scratch;
  write_atomic(scratch / "run.sh", "# the run\npython train.py /a --model 'resnet50 --lr 0.1\n");
  EXPECT_THAT(error_of(Kind::usage, [&] { read_file(scratch / "run.sh"); }), ::testing::HasSubstr("run.sh:2: the quote that opens here"));
  write_atomic(scratch / "notes.txt", "python train.py /a --lr 0.1\nIt's what we ran.\n");
  EXPECT_EQ(given(read_file(scratch / "notes.txt"), "lr"), "0.1");
}

TEST(CommandLine, TheCommandWinsOverItsConfigurationFile) {
  const Scratch scratch;
  write_atomic(scratch / "c.yaml", "lr: 0.3\nepochs: 90\n");
  const Invocation read = read_command({"python", "train.py", "--lr", "0.1", "-c", (scratch / "c.yaml").string()});
  EXPECT_EQ(given(read, "lr"), "0.1");
  EXPECT_EQ(given(read, "epochs"), "90");
}

}  // namespace
}  // namespace satchel::bridge
