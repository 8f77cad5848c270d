"""For each HTTP function, a request that succeeds, and the data that it needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from google.cloud import firestore

from infra.local.stack import PROJECT, Stack
from infra.local.users import Users
from tests.benchmarks.lists import job
from tests.jobs import new_id, put_all


@dataclass(frozen=True)
class Asked:
    function: str
    method: str
    path: str
    headers: Mapping[str, str]


class Asking:
    """Stores one user's data in Firestore and signs the user in."""

    def __init__(self, stack: Stack) -> None:
        self._database = firestore.Client(project=PROJECT)
        account = Users(stack.auth_url, PROJECT).add("me", "me@nuumee.test", "password")
        self._headers = {"Authorization": f"Bearer {account.token}"}
        put_all(self._database, [job() for _ in range(20)])

    def functions(self) -> tuple[str, ...]:
        return ("list_jobs", "get_thumbnails", "get_output", "delete_job", "share_job", "share_video")

    def new(self, function: str) -> Asked:
        """A request to the function, about a new job."""
        job_id = new_id()
        short_id = job_id[:16]
        self._database.document(f"jobs/{job_id}").set(job(short_id=short_id))
        self._database.document(f"short_links/{short_id}").set({"job_id": job_id})
        match function:
            case "list_jobs":
                method, path = "GET", "/jobs?page_size=20&include=media"
            case "get_thumbnails":
                method, path = "GET", f"/jobs/{job_id}/thumbnails"
            case "get_output":
                method, path = "GET", f"/jobs/{job_id}/output"
            case "delete_job":
                method, path = "DELETE", f"/jobs/{job_id}"
            case "share_job":
                method, path = "DELETE", f"/jobs/{job_id}/share"
            case _:
                return Asked(function, "GET", f"/public/video/{short_id}", {"User-Agent": "Mozilla/5.0"})
        return Asked(function, method, path, self._headers)
