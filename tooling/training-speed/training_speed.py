"""Images a second of a training step of ResNet-20 (He et al. 2016, section 4.2) in PyTorch; see training-speed.ts."""

import os
import statistics
import time

import torch
from torch import nn
from torch.nn import functional as F

BATCH, WARM_UP, COUNTED = 128, 2, 7


class Block(nn.Module):
    def __init__(self, channels_in, channels, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(channels_in, channels, 3, stride, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(channels)
        self.stride, self.extra = stride, (channels - channels_in) // 2

    def forward(self, x):
        y = self.norm2(self.conv2(F.relu(self.norm1(self.conv1(x)))))
        shortcut = x[:, :, :: self.stride, :: self.stride]
        return F.relu(y + F.pad(shortcut, (0, 0, 0, 0, self.extra, self.extra)))


def resnet20():
    layers, channels = [nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU()], 16
    for width in (16, 32, 64):
        for _ in range(3):
            layers.append(Block(channels, width, 1 if width == channels else 2))
            channels = width
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))


# Some builds take one thread unless told otherwise.
torch.set_num_threads(len(os.sched_getaffinity(0)))
network = resnet20()
optimiser = torch.optim.SGD(network.parameters(), lr=0.1, momentum=0.9, nesterov=True, weight_decay=5e-4)
images, labels = torch.rand(BATCH, 3, 32, 32), torch.randint(0, 10, (BATCH,))
times = []
for _ in range(WARM_UP + COUNTED):
    started = time.perf_counter()
    optimiser.zero_grad(set_to_none=True)
    F.cross_entropy(network(images), labels).backward()
    optimiser.step()
    times.append(time.perf_counter() - started)
rate = BATCH / statistics.median(times[WARM_UP:])
print(f"{rate:.3g} images/s (batch {BATCH}, PyTorch {torch.__version__}, {torch.get_num_threads()} threads)")
