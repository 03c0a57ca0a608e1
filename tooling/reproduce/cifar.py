"""CIFAR-10 from its binary files, kept and augmented on the device."""

import os

import numpy as np
import torch
from torch.nn import functional as F

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
BYTES_PER_ROW = 1 + 3 * 32 * 32
FILES = {"train": [f"data_batch_{number}.bin" for number in range(1, 6)], "test": ["test_batch.bin"]}


def load_split(folder, split, limit, device):
    """The first `limit` images of a split as bytes [rows, 3, 32, 32], and their labels."""
    parts = []
    for name in FILES[split]:
        path = os.path.join(folder, name)
        if not os.path.exists(path):
            raise SystemExit(f"{path} does not exist; --data needs the folder of CIFAR-10's binary version.")
        parts.append(np.fromfile(path, np.uint8).reshape(-1, BYTES_PER_ROW))
    rows = np.concatenate(parts)[:limit]
    labels = torch.from_numpy(rows[:, 0].astype(np.int64)).to(device)
    return torch.from_numpy(rows[:, 1:].reshape(-1, 3, 32, 32).copy()).to(device), labels


def normalise(images):
    """Bytes to the network's input, channels last in memory."""
    mean, std = (torch.tensor(values, device=images.device).view(1, 3, 1, 1) for values in (MEAN, STD))
    return ((images.float() / 255 - mean) / std).contiguous(memory_format=torch.channels_last)


def pad_crop_flip(images):
    """Reflects four pixels around each image, cuts 32x32 out of it at random, and mirrors every other one on average."""
    rows, _, height, width = images.shape
    device = images.device
    padded = F.pad(images.float(), (4, 4, 4, 4), mode="reflect").to(images.dtype)
    top, left = (torch.randint(0, 9, (rows, 1), device=device) for _ in range(2))
    y = top + torch.arange(height, device=device)
    x = left + torch.arange(width, device=device)
    x = torch.where(torch.rand(rows, 1, device=device) < 0.5, x.flip(1), x)
    row = torch.arange(rows, device=device).view(-1, 1, 1, 1)
    channel = torch.arange(3, device=device).view(1, -1, 1, 1)
    return padded[row, channel, y.view(rows, 1, height, 1), x.view(rows, 1, 1, width)]
