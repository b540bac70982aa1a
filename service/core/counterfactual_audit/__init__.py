"""Counterfactual audits: what is scored, and what the gaps between variants say beside a control arm."""
