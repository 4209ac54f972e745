"""``python -m web`` is the ``gridmap`` command."""

from web.command import main

main()
