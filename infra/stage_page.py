"""Builds the folder from which the page is deployed to Firebase Hosting: its files, and the rules for its region.

`firebase deploy` takes files only from below the folder of its firebase.json:
https://github.com/firebase/firebase-tools/blob/v15.34.2/src/config.ts
"""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

from infra.hosting import FILE, hosting

BUILT = FILE.parents[2] / "frontend" / "out"
_POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy" content="([^"]*)"/>')


def stage(region: str, folder: Path, built: Path = BUILT) -> Path:
    """Recreate `folder` with the page that was built into `built`, for functions in `region`, and return it.

    Raises ValueError if that is no page, or one for the local cloud, or if `folder` holds anything else.
    """
    _check(built)
    staged = {"firebase.json", hosting().public}
    if folder.is_dir() and {one.name for one in folder.iterdir()} not in (set(), staged):
        raise ValueError(f"{folder} holds something else than a page that was staged before")
    content = json.loads(FILE.read_text())
    for rewrite in content["hosting"]["rewrites"]:
        rewrite["run"]["region"] = region
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(built, folder / hosting().public)
    (folder / "firebase.json").write_text(json.dumps(content, indent=2))
    return folder


def _check(built: Path) -> None:
    files = list(built.rglob("*.html"))
    if not files:
        raise ValueError(f"there is no page in {built}: build it first, see frontend/README.md")
    for file in files:
        policy = _POLICY.search(file.read_text())
        if policy is None:
            raise ValueError(f"{file} has no Content-Security-Policy: build the page with npm run build")
        if "http://" in policy[1]:
            raise ValueError(f"{file} is built for the local cloud: build the page for the deployment")
