"""Open311 GeoReport v2, for other systems that report and follow problems.

Source: http://wiki.open311.org/GeoReport_v2, its service discovery, and the request updates that FixMyStreet
added to it.
"""
