"""The CIFAR networks of He et al. 2015, section 4.2, in torch, with the state-dict order of akamaster's models and `fc` as classifier.

Forms: "" option-A shortcuts; b: 1x1 convolutions in the shortcuts that shrink; c: and a stem of three 3x3; d: and average pooling in front of those 1x1 (names as timm's).
"""
import torch
import torch.nn.functional as F
from torch import nn


class Block(nn.Module):
    def __init__(self, before, after, stride, shortcut, form=""):
        super().__init__()
        self.conv1 = nn.Conv2d(before, after, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(after)
        self.conv2 = nn.Conv2d(after, after, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(after)
        self.stride, self.added, self.shortcut = stride, after - before, shortcut
        self.drop_path = nn.Identity()
        self.downsample = None
        if form and stride > 1:
            norm = nn.BatchNorm2d(after)
            if form == "d":
                pool = nn.AvgPool2d(2, 2, ceil_mode=True, count_include_pad=False)
                self.downsample = nn.Sequential(pool, nn.Conv2d(before, after, 1, bias=False), norm)
            else:
                self.downsample = nn.Sequential(nn.Conv2d(before, after, 1, stride, bias=False), norm)

    def forward(self, x):
        y = self.drop_path(self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x))))))
        if self.shortcut:
            side = x
            if self.downsample:
                side = self.downsample(x)
            elif self.stride > 1 or self.added:
                side = x[:, :, :: self.stride, :: self.stride]
                zeros = side.new_zeros(side.shape[0], self.added // 2, *side.shape[2:])
                side = torch.cat([zeros, side, zeros], 1)
            y = y + side
        return F.relu(y)


class CifarNet(nn.Module):
    def __init__(self, depth, shortcut=True, classes=10, form=""):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 3, 1, 1, bias=False)
        if form and form in "cd":
            first, second, third = nn.Conv2d(3, 8, 3, 1, 1, bias=False), nn.Conv2d(8, 8, 3, 1, 1, bias=False), nn.Conv2d(8, 16, 3, 1, 1, bias=False)
            self.conv1 = nn.Sequential(first, nn.BatchNorm2d(8), nn.ReLU(), second, nn.BatchNorm2d(8), nn.ReLU(), third)
        self.bn1 = nn.BatchNorm2d(16)
        before = 16
        for stage in range(3):
            blocks = []
            for i in range((depth - 2) // 6):
                blocks.append(Block(before, 16 << stage, 2 if stage and not i else 1, shortcut, form))
                before = 16 << stage
            setattr(self, f"layer{stage + 1}", nn.Sequential(*blocks))
        self.fc = nn.Linear(64, classes)

    def features(self, x):
        out = [F.relu(self.bn1(self.conv1(x)))]
        for layer in (self.layer1, self.layer2, self.layer3):
            out.append(layer(out[-1]))
        return out[1:]

    def forward(self, x):
        return self.fc(self.features(x)[-1].mean((2, 3)))
