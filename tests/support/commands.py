"""Commands of ``crossic-etl``, run in this process: their arguments in, the exit status out."""

from __future__ import annotations

from functools import partial

from crossic_etl.cli.__main__ import main

calibrate = partial(main, "calibrate")
download = partial(main, "download")
export = partial(main, "export")
maintain = partial(main, "maintain")
report = partial(main, "report")
run = partial(main, "run")
sample = partial(main, "sample")
submit = partial(main, "submit")
verify = partial(main, "verify")
