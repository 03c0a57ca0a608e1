"""The networks of the paper's table: bottleneck ResNet-101 and DenseNet-201, by width."""

import torch
from torch import nn
from torch.nn import functional as F


class Bottleneck(nn.Module):
    """He et al. 2016, figure 5, with the stride in the 3x3 convolution ("v1.5"); parameters named as torchvision's."""

    def __init__(self, channels_in, channels, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(channels_in, channels, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.conv3 = nn.Conv2d(channels, 4 * channels, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(4 * channels)
        self.downsample = None
        if stride != 1 or channels_in != 4 * channels:
            self.downsample = nn.Sequential(
                nn.Conv2d(channels_in, 4 * channels, 1, stride, bias=False), nn.BatchNorm2d(4 * channels)
            )

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)))
        y = F.relu(self.bn2(self.conv2(y)))
        shortcut = x if self.downsample is None else self.downsample(x)
        return F.relu(self.bn3(self.conv3(y)) + shortcut)


class ResNet101(nn.Module):
    """He et al. 2016, table 1. The stem is ImageNet's (7x7 and pooling) or CIFAR's (3x3, no pooling)."""

    def __init__(self, width, classes, stem):
        super().__init__()
        channels = round(64 * width)
        is_imagenet = stem == "imagenet"
        self.conv1 = nn.Conv2d(
            3, channels, 7 if is_imagenet else 3, 2 if is_imagenet else 1, 3 if is_imagenet else 1, bias=False
        )
        self.bn1 = nn.BatchNorm2d(channels)
        self.maxpool = nn.MaxPool2d(3, 2, 1) if is_imagenet else nn.Identity()
        channels_in = channels
        for stage, blocks in enumerate((3, 4, 23, 3)):
            layers = []
            for block in range(blocks):
                layers.append(Bottleneck(channels_in, channels << stage, 2 if stage > 0 and block == 0 else 1))
                channels_in = 4 * (channels << stage)
            setattr(self, f"layer{stage + 1}", nn.Sequential(*layers))
        self.fc = nn.Linear(channels_in, classes)

    def forward(self, x):
        x = self.maxpool(F.relu(self.bn1(self.conv1(x))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(torch.flatten(F.adaptive_avg_pool2d(x, 1), 1))


class DenseLayer(nn.Module):
    """Huang et al. 2017, "DenseNet-B". Each layer hands on all maps so far in one tensor, so that a gate may follow it."""

    def __init__(self, channels_in, growth):
        super().__init__()
        self.norm1 = nn.BatchNorm2d(channels_in)
        self.conv1 = nn.Conv2d(channels_in, 4 * growth, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(4 * growth)
        self.conv2 = nn.Conv2d(4 * growth, growth, 3, 1, 1, bias=False)

    def forward(self, x):
        y = self.conv1(F.relu(self.norm1(x)))
        return torch.cat([x, self.conv2(F.relu(self.norm2(y)))], 1)


class Transition(nn.Module):
    """Between dense blocks: half the channels, half the map (compression 0.5)."""

    def __init__(self, channels_in):
        super().__init__()
        self.norm = nn.BatchNorm2d(channels_in)
        self.conv = nn.Conv2d(channels_in, channels_in // 2, 1, bias=False)

    def forward(self, x):
        return F.avg_pool2d(self.conv(F.relu(self.norm(x))), 2)


class DenseNet201(nn.Module):
    """Huang et al. 2017, table 1, growth 32, with CIFAR's stem (3x3, no pooling)."""

    def __init__(self, width, classes):
        super().__init__()
        growth = round(32 * width)
        channels = 2 * growth
        self.conv0 = nn.Conv2d(3, channels, 3, 1, 1, bias=False)
        blocks = (6, 12, 48, 32)
        for block, layers in enumerate(blocks):
            dense = [DenseLayer(channels + layer * growth, growth) for layer in range(layers)]
            setattr(self, f"denseblock{block + 1}", nn.Sequential(*dense))
            channels += layers * growth
            if block + 1 < len(blocks):
                setattr(self, f"transition{block + 1}", Transition(channels))
                channels //= 2
        self.norm = nn.BatchNorm2d(channels)
        self.classifier = nn.Linear(channels, classes)

    def forward(self, x):
        x = self.transition1(self.denseblock1(self.conv0(x)))
        x = self.transition2(self.denseblock2(x))
        x = self.denseblock4(self.transition3(self.denseblock3(x)))
        return self.classifier(torch.flatten(F.adaptive_avg_pool2d(F.relu(self.norm(x)), 1), 1))


def cifar_network(name, width, classes=10):
    """A network of the table in its CIFAR form, freshly initialised."""
    network = ResNet101(width, classes, "cifar") if name == "resnet101" else DenseNet201(width, classes)
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        if isinstance(module, Bottleneck):
            # Blocks begin as the identity (Goyal et al. 2017, section 5.1), which a high learning rate needs.
            nn.init.zeros_(module.bn3.weight)
    return network
