"""Problems, their categories and their history."""
