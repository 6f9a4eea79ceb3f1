"""Reads model.onnx and rows (float32) in a folder, writes scores (float32). Arguments: the rows' width, the folder."""

import pathlib
import sys

import numpy
import onnxruntime

width, folder = int(sys.argv[1]), pathlib.Path(sys.argv[2])
rows = numpy.fromfile(folder / "rows", dtype="<f4").reshape(-1, width)
session = onnxruntime.InferenceSession(str(folder / "model.onnx"))
_, probabilities = session.run(None, {session.get_inputs()[0].name: rows})
probabilities.astype("<f4").tofile(folder / "scores")
