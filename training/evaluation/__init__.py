"""What a bundle does on labelled pairs: utility, parity, calibration, exposure, counterfactual shifts."""
