"""Shopfronts, their pledges, and the ladder of what follows offences."""
