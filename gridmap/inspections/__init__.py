"""The assessors' route (迎检线路): its tour, what can be seen from it, and who must be ready when."""
