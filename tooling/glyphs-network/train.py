"""Trains the glyph network and exports it as ONNX. See README.md for the exact commands."""

import argparse
import time

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

MEAN, STD = 0.5, 0.25
WIDTHS = (16, 32, 64)
BATCH = 128


class Block(nn.Module):
    """Two 3x3 convolutions with a shortcut (He et al. 2016, figure 2, left)."""

    def __init__(self, channels_in, channels, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(channels_in, channels, 3, stride, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(channels)
        self.shortcut = nn.Sequential()
        if stride != 1 or channels_in != channels:
            self.shortcut = nn.Sequential(
                nn.Conv2d(channels_in, channels, 1, stride, bias=False), nn.BatchNorm2d(channels)
            )

    def forward(self, x):
        y = F.relu(self.norm1(self.conv1(x)))
        return F.relu(self.norm2(self.conv2(y)) + self.shortcut(x))


def residual_network(widths, blocks_per_stage, classes):
    """The CIFAR ResNet of He et al. 2016, section 4.2, with 1x1 shortcuts where the shape changes."""
    layers = [nn.Conv2d(3, widths[0], 3, 1, 1, bias=False), nn.BatchNorm2d(widths[0]), nn.ReLU()]
    channels = widths[0]
    for stage, width in enumerate(widths):
        for block in range(blocks_per_stage):
            layers.append(Block(channels, width, 2 if stage > 0 and block == 0 else 1))
            channels = width
    layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, classes)]
    network = nn.Sequential(*layers)
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        if isinstance(module, Block):
            nn.init.zeros_(module.norm2.weight)
    return network


def load_split(folder, split, limit):
    images = np.load(f"{folder}/{split}-images.npy")[:limit].astype(np.float32) / 255
    labels = np.load(f"{folder}/{split}-labels.npy")[:limit].astype(np.int64)
    return torch.from_numpy((images - MEAN) / STD), torch.from_numpy(labels)


def augment(images):
    """Mirrors each image at random and shifts the batch by up to two pixels; no sign changes its class by that."""
    mirrored = torch.rand(len(images)) < 0.5
    images = torch.where(mirrored[:, None, None, None], images.flip(3), images)
    dy, dx = torch.randint(0, 5, (2,)).tolist()
    return F.pad(images, (2, 2, 2, 2), mode="replicate")[:, :, dy : dy + 32, dx : dx + 32]


def half_precision():
    """bfloat16 where it is safe; several times faster on processors that have it."""
    return torch.autocast("cpu", dtype=torch.bfloat16)


def train(network, images, labels, epochs, coarse_epochs):
    """Trains on pictures of half the size first: these epochs cost a quarter and teach the later layers their work."""
    optimiser = torch.optim.SGD(network.parameters(), lr=0.1, momentum=0.9, nesterov=True, weight_decay=5e-4)
    steps = epochs * (len(images) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, max_lr=0.2, total_steps=steps, pct_start=0.25)
    for epoch in range(epochs):
        network.train()
        started, losses, order = time.time(), [], torch.randperm(len(images))
        for step in range(len(images) // BATCH):
            rows = order[step * BATCH : (step + 1) * BATCH]
            inputs = augment(images[rows])
            if epoch < coarse_epochs:
                inputs = F.avg_pool2d(inputs, 2)
            with half_precision():
                scores = network(inputs.contiguous(memory_format=torch.channels_last))
            loss = F.cross_entropy(scores.float(), labels[rows])
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            optimiser.step()
            schedule.step()
            losses.append(loss.item())
        print(f"epoch {epoch + 1}: loss {np.mean(losses):.4f}, {time.time() - started:.0f} s", flush=True)


@torch.no_grad()
def accuracy(network, images, labels):
    network.eval()
    with half_precision():
        parts = [part.contiguous(memory_format=torch.channels_last) for part in images.split(500)]
        answers = torch.cat([network(part).argmax(1) for part in parts])
    return (answers == labels).float().mean().item()


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("data", help="folder that write-npy.ts wrote")
    arguments.add_argument("out", help="ONNX file to write")
    arguments.add_argument("--epochs", type=int, default=18)
    arguments.add_argument("--coarse-epochs", type=int, default=4, help="how many of them see pictures of half the size")
    arguments.add_argument("--limit", type=int, default=None, help="images to use of each split, for a quick trial")
    options = arguments.parse_args()

    torch.manual_seed(0)
    # One thread: so small a network runs no faster on two, and its sums stay in one order.
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    network = residual_network(WIDTHS, 3, 10).to(memory_format=torch.channels_last)
    images, labels = load_split(options.data, "train", options.limit)
    train(network, images, labels, options.epochs, options.coarse_epochs)
    test_images, test_labels = load_split(options.data, "test", options.limit)
    print(f"test accuracy {accuracy(network, test_images, test_labels):.4f}", flush=True)
    torch.onnx.export(
        network.to(memory_format=torch.contiguous_format),
        test_images[:1],
        options.out,
        opset_version=16,
        input_names=["input"],
        output_names=["logits"],
        dynamic_axes={"input": {0: "batch"}, "logits": {0: "batch"}},
    )


if __name__ == "__main__":
    main()
