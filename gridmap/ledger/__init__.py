"""The ledger as offices keep it: out to Excel and back, the negative list, the handover."""
