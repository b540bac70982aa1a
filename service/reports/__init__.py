"""Reports for people: the bias audit and the counterfactual audit, as HTML, JSON and CSV."""
