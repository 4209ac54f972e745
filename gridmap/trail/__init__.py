"""The trail: one entry per transaction with every change in it, chained so that no tampering goes unseen."""
