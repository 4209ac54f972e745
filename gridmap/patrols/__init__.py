"""Who walks where: patrols, their plans and their routes."""
