"""Reports: what people tell the cell, and what volunteers are asked to verify."""
