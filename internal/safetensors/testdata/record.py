"""Make reference.safetensors with the Python package, version 0.8: python record.py FOLDER"""

import sys

import numpy as np
import safetensors.numpy
import safetensors.torch
import torch

folder = sys.argv[1]
tensors = {
    "0.weight": np.arange(6, dtype=np.float32).reshape(2, 3) / 4,
    "0.bias": np.array([np.inf, -0.0], np.float32),
    "double": np.array(0.1),
    "half": np.array([1.5, -2, 6e-8, 65504], np.float16),
    "count": np.array(-(2**62)),
    "int32": np.array([-1, 7], np.int32),
    "int16": np.array([-3], np.int16),
    "int8": np.array([-128], np.int8),
    "uint8": np.array([255, 1], np.uint8),
    "uint16": np.array([65535], np.uint16),
    "uint32": np.array([2**32 - 1], np.uint32),
    "mask": np.array([[True], [False], [True]]),
    "empty": np.zeros((0, 3), np.float32),
    'é"\\/\n\b\f\r\t\x01\x1f\x7f\u2028<&>😀': np.ones(1, np.uint64),
}
safetensors.numpy.save_file(tensors, folder + "/reference.safetensors", {"note": 'a "quoted" <é>\n'})
# numpy has no bfloat16.
safetensors.torch.save_file({"b": torch.tensor([1, -2.5], dtype=torch.bfloat16)}, folder + "/bfloat16.safetensors")
