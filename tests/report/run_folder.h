// A run folder as training leaves it, with two evaluations and four answers.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "satchel/base/file.h"

namespace satchel::report {

inline void write_run(const Path& folder) {
  make_folder(folder);
  write_atomic(folder / "recipe.toml", "# satchel train photos\nmodel = { resnet18 = {} }\n");
  write_atomic(folder / "summary.csv",
               "epoch,train_loss,eval_loss,eval_top1,eval_top5,lr\n0,1.5,1.25,50.0,90.0,0.1\n1,1.0,1.125,75.0,100.0,0.05\n2,0.9,1.2,70.0,"
               "100.0,0.01\n");
  write_atomic(folder / "metrics.jsonl",
               "{\"step\":1,\"epoch\":0.25,\"time\":1000,\"loss\":2.0,\"images_per_second\":10.0,\"data_wait\":0.5}\n"
               "{\"step\":3,\"epoch\":0.75,\"time\":1020,\"loss\":1.5,\"seconds\":190,\"images_per_second\":20.0,\"data_wait\":0.125,"
               "\"forward\":0.25,\"backward\":0.5,\"update\":0.0625}\n"
               "{\"step\":4,\"epoch\":0,\"time\":1030,\"eval/top1\":50.0}\n{\"torn");
  write_atomic(folder / "classes.txt", "cat\ndog, <big>\n");
  write_atomic(folder / "predictions.csv",
               "filename,truth,answer,probability,gap\ncat/1.png,cat,cat,0.9,2.5\n\"dog/2,.png\",\"dog, <big>\",cat,0.8,2.0\n"
               "cat/3.png,cat,\"dog, <big>\",0.6,0.5\ncat/4.png,cat,cat,0.7,1.0\n");
  write_atomic(folder / "env.json", "{\"command\": \"satchel train photos\", \"cores\": 2}\n");
}

}  // namespace satchel::report
