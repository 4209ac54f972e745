"""Joint operations of several organisations (联合整治): who takes part, on what, with what result."""
