"""Areas, grid cells, points, roads, streets, and who is responsible for them."""
