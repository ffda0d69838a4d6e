// What a trained network says of pictures, from a program of one's own: classify WEIGHTS PICTURE…
// Shows both doors of the installed library: predict.h answers, image.h opens, turns and cuts pictures on the way.
// SPDX-License-Identifier: Apache-2.0
#include <satchel/base/error.h>
#include <satchel/base/file.h>
#include <satchel/image/image.h>
#include <satchel/predict/predict.h>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <string>

namespace {

// The middle of the picture as a square, upright whatever the camera's orientation was.
satchel::image::Image middle(const std::string& path) {
  satchel::image::Picture picture(satchel::read_file(path), path);
  picture.apply_orientation();
  const satchel::image::Size size = picture.size();
  const int side = std::min(size.width, size.height);
  picture.crop({(size.width - side) / 2, (size.height - side) / 2, side, side});
  return picture.render();
}

void print(const satchel::predict::Answer& answer) {
  if (!answer.error.empty()) {
    std::printf("%s: %s\n", answer.filename.c_str(), answer.error.c_str());
    return;
  }
  for (const satchel::predict::Ranked& ranked : answer.ranked)
    std::printf("%s\t%s\t%.4f\n", answer.filename.c_str(), ranked.name.c_str(), ranked.probability);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: classify WEIGHTS PICTURE...\n");
    return 2;
  }
  try {
    satchel::predict::Classifier classifier(argv[1]);
    // Files as they are: one broken picture is one answer with an error, and the others are answered all the same.
    for (const auto& answer : classifier.classify({argv + 2, argv + argc}, 3)) print(answer);
    // Pixels that are already in memory: here the upright square of the first picture.
    auto answer = classifier.classify(middle(argv[2]), 1);
    answer.filename = std::string(argv[2]) + " (middle)";
    print(answer);
  } catch (const satchel::Error& error) {
    std::fprintf(stderr, "classify: %s\n", error.what());
    return static_cast<int>(error.kind());
  } catch (const std::exception& error) {
    std::fprintf(stderr, "classify: %s\n", error.what());
    return 1;
  }
  return 0;
}
