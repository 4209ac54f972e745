"""People with browsers and API clients: pages, maps, tiles and JSON."""
