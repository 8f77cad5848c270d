"""Runs gcloud, which builds its parser only once: `lint-gcloud-commands` builds it anew twice for each command.

To start it as gcloud starts its own program: CLOUDSDK_PYTHON_ARGS="-S gcloud_once.py", in this folder.
"""

from __future__ import annotations

import os
import sys
from functools import lru_cache
from typing import Any

del sys.argv[0]
sys.path[0] = os.path.dirname(sys.argv[0])
import gcloud  # type: ignore[import-not-found]  # noqa: E402 - found only now

program = gcloud._import_gcloud_main()
create = program.CreateCLI


@lru_cache
def parser() -> Any:
    return create([])


def create_once(surfaces: list[Any], translator: Any = None) -> Any:
    return create(surfaces, translator) if surfaces or translator else parser()


program.CreateCLI = create_once
gcloud.main()
