"""What was really walked: recorded tracks, the streets they went along, and what nobody has seen for long."""
