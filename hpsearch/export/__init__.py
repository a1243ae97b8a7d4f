"""Models and recipes in forms that others read: ONNX, one .npz file, source text for PyTorch and Keras."""
