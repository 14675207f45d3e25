"""Pages: what people see and do, a module for each; each declares its addresses with the right that they need."""
