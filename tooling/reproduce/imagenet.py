"""Exports torchvision's ResNet-101 from its weights file as ONNX, without torchvision; prints one JSON object. See README.md."""

import argparse
import hashlib
import json
import pickle
import platform
import sys

import torch

from export_onnx import export_onnx
from networks import ResNet101


def load_network(path):
    """The network that a state dict describes. Ends the program where the file holds anything else."""
    try:
        state = torch.load(path, map_location="cpu")
        width, classes = state["conv1.weight"].shape[0] / 64, state["fc.weight"].shape[0]
        network = ResNet101(width, classes, "imagenet")
        network.load_state_dict(state)
    except (OSError, EOFError, LookupError, RuntimeError, TypeError, AttributeError, pickle.UnpicklingError) as error:
        reason = " ".join(str(error).split())[:200]
        raise SystemExit(
            f"{path} is not a state dict of torchvision's ResNet-101 ({type(error).__name__}: {reason}); "
            "pass the file of ResNet101_Weights, e.g. resnet101-63fe2227.pth."
        ) from error
    return network, width, classes


def write_random(path, width, classes, seed):
    torch.manual_seed(seed)
    torch.save(ResNet101(width, classes, "imagenet").state_dict(), path)


def hash_file(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--weights", required=True, help="torchvision's resnet101-*.pth")
    parser.add_argument("--out", required=True, help="the ONNX file")
    parser.add_argument("--random", type=int, default=0, metavar="CLASSES", help="write random weights to --weights first")
    parser.add_argument("--width", type=float, default=1, help="of the random weights")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    if arguments.random > 0:
        write_random(arguments.weights, arguments.width, arguments.random, arguments.seed)
    network, width, classes = load_network(arguments.weights)
    export_onnx(network, arguments.out, 224)
    answer = {
        "network": "resnet101",
        "width": width,
        "classes": classes,
        "isRandom": arguments.random > 0,
        "parameters": sum(parameter.numel() for parameter in network.parameters()),
        "weightsSha256": hash_file(arguments.weights),
        "versions": {"python": platform.python_version(), "torch": torch.__version__, "cuda": torch.version.cuda},
    }
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main()
