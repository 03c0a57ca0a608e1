"""Trains a CIFAR-10 network and exports it as ONNX; prints what it did as one JSON object. See README.md."""

import argparse
import json
import os
import platform
import sys
import time

import torch
from torch.nn import functional as F

from cifar import load_split, normalise, pad_crop_flip
from export_onnx import export_onnx
from networks import cifar_network

PEAK_RATE_PER_IMAGE = 0.4 / 512
TIMED_STEPS, WARM_UP_STEPS = 12, 6


def log(message):
    print(message, file=sys.stderr, flush=True)


def synchronise(device):
    if device.type == "cuda":
        torch.cuda.synchronize()


class Training:
    """A network, its images and the step that both the timing and the training take."""

    def __init__(self, network, images, labels, batch, precision):
        self.network, self.images, self.labels = network, images, labels
        self.batch, self.precision, self.device = min(batch, len(images)), precision, images.device
        self.steps_per_epoch = len(images) // self.batch

    def scores(self, inputs):
        is_half = self.precision == "bf16"
        with torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=is_half):
            return self.network(inputs).float()

    def backward(self, rows):
        scores = self.scores(normalise(pad_crop_flip(self.images[rows])))
        loss = F.cross_entropy(scores, self.labels[rows], label_smoothing=0.1)
        loss.backward()
        return loss.detach()

    def seconds_per_step(self):
        """Time of forward and backward passes; the optimiser's part is small beside them."""
        rows = torch.arange(self.batch, device=self.device)
        for step in range(WARM_UP_STEPS + TIMED_STEPS):
            if step == WARM_UP_STEPS:
                synchronise(self.device)
                started = time.perf_counter()
            self.backward(rows)
            self.network.zero_grad(set_to_none=True)
        synchronise(self.device)
        return (time.perf_counter() - started) / TIMED_STEPS

    def run(self, epochs):
        """SGD with Nesterov momentum under a one-cycle schedule (Smith and Topin 2018). Returns the mean loss per epoch."""
        rate = PEAK_RATE_PER_IMAGE * self.batch
        optimiser = torch.optim.SGD(self.network.parameters(), lr=rate, momentum=0.9, nesterov=True, weight_decay=5e-4)
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimiser, max_lr=rate, total_steps=epochs * self.steps_per_epoch, pct_start=0.25, cycle_momentum=False
        )
        losses = []
        for epoch in range(epochs):
            started, total = time.perf_counter(), torch.zeros((), device=self.device)
            order = torch.randperm(len(self.images), device=self.device)
            for step in range(self.steps_per_epoch):
                total += self.backward(order[step * self.batch : (step + 1) * self.batch])
                optimiser.step()
                optimiser.zero_grad(set_to_none=True)
                schedule.step()
            losses.append(total.item() / self.steps_per_epoch)
            log(f"epoch {epoch + 1} of {epochs}: loss {losses[-1]:.3f}, {time.perf_counter() - started:.1f} s")
        return losses

    @torch.no_grad()
    def accuracy(self, images, labels):
        self.network.eval()
        right = 0
        for start in range(0, len(images), self.batch):
            scores = self.scores(normalise(images[start : start + self.batch]))
            right += (scores.argmax(1) == labels[start : start + self.batch]).sum().item()
        return right / len(images)


def parse_arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--network", choices=("resnet101", "densenet201"), required=True)
    parser.add_argument("--data", required=True, help="folder of CIFAR-10's binary version")
    parser.add_argument("--out", required=True, help="the ONNX file; a .pt file with the weights is written beside it")
    parser.add_argument("--width", type=float, default=1)
    parser.add_argument("--epochs", type=int, required=True)
    parser.add_argument("--minutes", type=float, default=0, help="fewer epochs where they would take longer; 0 for no limit")
    parser.add_argument("--batch", type=int, default=512)
    parser.add_argument("--limit", type=int, default=None, help="images of each split")
    parser.add_argument("--precision", choices=("bf16", "float32"), default=None, help="bf16 on CUDA unless given")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def set_up(seed):
    """The device, as fast as it goes, with the seed set."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if device.type == "cpu":
        # Some builds take one thread unless told otherwise.
        torch.set_num_threads(len(os.sched_getaffinity(0)))
    torch.backends.cudnn.benchmark = True
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    torch.manual_seed(seed)
    return device


def affordable_epochs(training, epochs, minutes):
    if minutes == 0:
        return epochs
    seconds_per_epoch = training.seconds_per_step() * training.steps_per_epoch
    return max(1, min(epochs, int(minutes * 60 / seconds_per_epoch)))


def main():
    arguments = parse_arguments()
    os.makedirs(os.path.dirname(os.path.abspath(arguments.out)), exist_ok=True)
    device = set_up(arguments.seed)
    precision = arguments.precision or ("bf16" if device.type == "cuda" else "float32")
    images, labels = load_split(arguments.data, "train", arguments.limit, device)
    network = cifar_network(arguments.network, arguments.width).to(device, memory_format=torch.channels_last)
    training = Training(network, images, labels, arguments.batch, precision)

    started = time.perf_counter()
    losses = training.run(affordable_epochs(training, arguments.epochs, arguments.minutes))
    synchronise(device)
    seconds = time.perf_counter() - started
    test_images, test_labels = load_split(arguments.data, "test", arguments.limit, device)
    accuracy = training.accuracy(test_images, test_labels)
    log(f"{seconds:.0f} s, test accuracy {100 * accuracy:.2f} %")

    torch.save(network.state_dict(), os.path.splitext(arguments.out)[0] + ".pt")
    export_onnx(network, arguments.out, 32)
    answer = {
        "network": arguments.network,
        "width": arguments.width,
        "parameters": sum(parameter.numel() for parameter in network.parameters()),
        "device": torch.cuda.get_device_name() if device.type == "cuda" else "cpu",
        "precision": precision,
        "batch": training.batch,
        "epochs": len(losses),
        "seed": arguments.seed,
        "images": len(images),
        "seconds": seconds,
        "losses": losses,
        "testImages": len(test_images),
        "testAccuracy": accuracy,
        "versions": {"python": platform.python_version(), "torch": torch.__version__, "cuda": torch.version.cuda},
    }
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main()
