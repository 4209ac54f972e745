"""Where it will be bad: which squares of the ground are likely to have which problems."""
