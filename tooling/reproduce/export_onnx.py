"""Exports a network as ONNX: one input `input` [batch, 3, size, size], one output `logits` [batch, classes]."""

import inspect

import torch

OPSET = 16


def export_onnx(network, path, size):
    """Writes float32 weights, normalisation folded into convolutions where the exporter can."""
    network = network.to("cpu", torch.float32, memory_format=torch.contiguous_format).eval()
    options = {}
    # The exporter over TorchScript folds batch normalisation and names tensors by module; later releases have to be asked.
    if "dynamo" in inspect.signature(torch.onnx.export).parameters:
        options["dynamo"] = False
    try:
        torch.onnx.export(
            network,
            torch.zeros(1, 3, size, size),
            path,
            input_names=["input"],
            output_names=["logits"],
            dynamic_axes={"input": {0: "batch"}, "logits": {0: "batch"}},
            opset_version=OPSET,
            **options,
        )
    except Exception as error:
        if "onnx is not installed" in str(error):
            raise SystemExit("PyTorch 2 exports ONNX only where the package onnx is installed: pip install onnx") from error
        raise
