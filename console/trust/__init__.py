"""Trust: how often Vigie was right, how early, and whether its probabilities hold, by what people decided."""
