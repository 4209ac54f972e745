"""What leaders quote: how many were found, dispatched, fixed, in time, and the rates made of them."""
