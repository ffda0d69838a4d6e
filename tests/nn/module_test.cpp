// Listing order, roles, training switch and moves of module trees.
// SPDX-License-Identifier: Apache-2.0
#include "satchel/nn/module.h"

#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

namespace satchel::nn {
namespace {

struct Leaf : Module {
  Leaf() {
    weight = add_parameter("weight", at::ones({2}), Role::norm);
    mean = add_buffer("running_mean", at::zeros({2}));
  }
  at::Tensor forward(const at::Tensor& x) override { return x.mul(weight); }
  at::Tensor weight, mean;
};
struct Pair : Module {
  Pair() : a(add_child<Leaf>("a")), b(add_child<Leaf>("b.1")) {}
  at::Tensor forward(const at::Tensor& x) override { return b.forward(a.forward(x)); }
  Leaf &a, &b;
};
struct Root : Module {
  Root() : spliced(add_child<Pair>("")), named(add_child<Pair>("layer1")) { own = add_parameter("token", at::ones({1}), Role::weight); }
  at::Tensor forward(const at::Tensor& x) override { return named.forward(spliced.forward(x)); }
  Pair &spliced, &named;
  at::Tensor own;
};

TEST(Module, ListsOwnTensorsThenChildrenInOrder) {
  Root root;
  std::vector<std::string> names;
  for (const NamedTensor& each : root.named_tensors()) names.push_back(each.name);
  EXPECT_EQ(names, (std::vector<std::string>{"token", "a.weight", "a.running_mean", "b.1.weight", "b.1.running_mean", "layer1.a.weight",
                                             "layer1.a.running_mean", "layer1.b.1.weight", "layer1.b.1.running_mean"}));
}

TEST(Module, OnlyParametersRequireGradients) {
  Root root;
  for (const NamedTensor& each : root.named_tensors()) {
    EXPECT_EQ(each.tensor.requires_grad(), each.parameter) << each.name;
    EXPECT_EQ(each.parameter, each.name.find("running") == std::string::npos) << each.name;
  }
  EXPECT_EQ(root.parameters().size(), 5u);
}

TEST(Module, TrainReachesEveryChild) {
  Root root;
  EXPECT_FALSE(root.named.b.training());
  root.train();
  EXPECT_TRUE(root.training() && root.spliced.a.training() && root.named.b.training());
  root.train(false);
  EXPECT_FALSE(root.named.b.training());
}

TEST(Module, ListedHandlesAreTheTensorsThatForwardUses) {
  Root root;
  for (NamedTensor& each : root.named_tensors()) {
    at::Tensor raw = each.tensor.detach();
    raw.fill_(2);
  }
  EXPECT_EQ(root.forward(at::ones({2}))[0].item().toDouble(), 16);
  root.to(at::kCPU);
  EXPECT_EQ(root.forward(at::ones({2}))[0].item().toDouble(), 16);
}

}  // namespace
}  // namespace satchel::nn
