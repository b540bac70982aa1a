"""What is fitted after training: concept eraser, calibration, threshold."""
