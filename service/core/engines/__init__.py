"""Inference engines (OpenVINO, torch) behind one protocol, and how a bundle is loaded on them."""
