"""`make demo`: runs through the main use of the product once, on its own stack, and reports whether it worked."""

from __future__ import annotations

import sys
from typing import Any

import requests
from google.cloud import firestore, storage

from infra.local import demo_data, ports, stack
from infra.local.client import Client
from infra.local.demo_data import Demo, DemoJob
from infra.local.emulators import EmulatorsMissing
from infra.local.processes import WAITING, ProcessEnded
from infra.local.users import Users

_JOBS = 30
"""More than a page. Fewer than `make dev` fills in, because each uploads its files."""
_SECONDS = 30
"""Timeout of one request."""
_PURGED_WITHIN = 300
"""Seconds. It normally takes two, but the machine may be busy."""


class Broken(Exception):
    """A step failed. The message says which one and how."""


def main() -> None:
    stack.stop_on_signals()
    lines: list[str] = []

    def keep(line: str) -> None:
        lines.append(line)
        if line.startswith(WAITING):
            _step(*(part.strip() for part in line.split("|", 1)))

    try:
        # Without the functions in the background: nothing here looks at posters, and these would take most of the
        # machine.
        with stack.running(
            ports.any_free(stack.PORT_NAMES),
            output=keep,
            progress=lambda text: _step("start", text),
            without=stack.IN_THE_BACKGROUND,
        ) as local:
            demo = demo_data.fill(local.settings, Users(local.auth_url, stack.PROJECT), _JOBS)
            _Play(local, demo).play()
    except KeyboardInterrupt:
        sys.exit("demo: stopped")
    except (Broken, requests.RequestException, EmulatorsMissing, ProcessEnded, TimeoutError) as error:
        # The functions' logs show the cause. They contain no secrets.
        print(*lines[-40:], sep="\n", file=sys.stderr)
        sys.exit(f"demo: FAILED: {error}")
    _step("done", "everything works, and everything has ended")


class _Play:
    def __init__(self, local: stack.Stack, demo: Demo) -> None:
        self._local = local
        self._demo = demo
        self._client = Client(local.url, demo.owner.token)
        self._buckets = storage.Client(project=stack.PROJECT)
        self._deletions = firestore.Client(project=stack.PROJECT).collection("deletions")

    def play(self) -> None:
        job, neighbour = self._demo.completed()[:2]
        self.list_jobs()
        self.page_through()
        self.fetch_media(job)
        self.download(job)
        self.delete(job)
        self.wait_for_purge(job)
        self.prove_gone(job)
        self.prove_untouched(neighbour)

    def list_jobs(self) -> None:
        page = self._client.get("/jobs", page_size=20)
        _check(len(page["jobs"]) == 20, "the first page has 20 jobs")
        _check(page["total"] == len(self._demo.jobs), f"the total is {len(self._demo.jobs)}")
        times = [job["created_at"] for job in page["jobs"]]
        _check(times == sorted(times, reverse=True), "the newest job comes first")
        newcomer = Client(self._local.url, self._demo.newcomer.token).get("/jobs")
        _check(newcomer["jobs"] == [] and newcomer["total"] == 0, "the other user sees none of them")
        _step("list", f"20 of {page['total']} jobs, newest first; the other user sees none")

    def page_through(self) -> None:
        pages = list(self._client.pages(page_size=25))
        ids = [job["id"] for page in pages for job in page["jobs"]]
        _check(len(ids) == len(set(ids)) == len(self._demo.jobs), "every job is on exactly one page")
        _step("page on", f"{len(ids)} jobs on {len(pages)} pages, none twice, none missing")

    def fetch_media(self, job: DemoJob) -> None:
        urls = self._client.get(f"/jobs/{job.id}/thumbnails")
        fields = ("reference_image_url", "motion_video_url", "output_video_url")
        for field, upload in zip(fields, job.uploads, strict=True):
            content = _fetch(urls[field]).content
            _check(content == upload.file.read_bytes(), f"{field} gives the bytes that were uploaded")
            _step("thumbnail", f"{field}: {len(content)} bytes, as uploaded")

    def download(self, job: DemoJob) -> None:
        answer = self._client.get(f"/jobs/{job.id}/output")
        response = _fetch(answer["download_url"])
        _check(response.content == job.uploads[2].file.read_bytes(), "the download gives the output's bytes")
        saved_as = response.headers.get("Content-Disposition", "")
        _check(answer["filename"] in saved_as, "a browser would save it under the name that was promised")
        _step("download", f"{answer['filename']}: {len(response.content)} bytes")

    def delete(self, job: DemoJob) -> None:
        answer = self._client.delete(f"/jobs/{job.id}")
        _check(answer["job_id"] == job.id and answer["purge"] == "pending", "the delete is accepted")
        _check(self._client.status(f"/jobs/{job.id}") == 404, "the job is gone from the list at once")
        _step("delete", f"{job.id} is accepted and gone from the list")

    def wait_for_purge(self, job: DemoJob) -> None:
        def purge() -> dict[str, Any]:
            return self._deletions.document(job.id).get().to_dict() or {}

        self._local.processes.wait_for("the purge", lambda: purge()["state"] == "done", _PURGED_WITHIN)
        done = purge()
        # A file whose notification comes after the delete is counted as late.
        removed = sum(bucket["objects"] for bucket in done["buckets"].values()) + done.get("late_objects", 0)
        _check(removed >= len(job.uploads), f"the purge removed the job's {len(job.uploads)} files")
        _step("purge", f"done after {done['attempts']} attempt(s): {removed} objects removed")

    def prove_gone(self, job: DemoJob) -> None:
        prefix = f"{self._demo.owner.user_id}/{job.id}/"
        for bucket in self._local.settings.buckets:
            left = [blob.name for blob in self._buckets.list_blobs(bucket, prefix=prefix, versions=True)]
            _check(not left, f"{bucket}/{prefix} is empty (it has {left})")
            _step("proof", f"{bucket}: nothing left under the job's prefix, in any generation")

    def prove_untouched(self, job: DemoJob) -> None:
        for upload in job.uploads:
            content = self._buckets.bucket(upload.bucket).blob(upload.name).download_as_bytes()
            _check(content == upload.file.read_bytes(), f"{upload.name} of another job is as it was")
        _step("proof", f"another job's {len(job.uploads)} files are as they were")


def _fetch(url: str) -> requests.Response:
    response = requests.get(url, timeout=_SECONDS)
    # Not raise_for_status: its message contains the URL, which is a secret.
    _check(response.status_code == 200, f"a signed URL can be fetched (it gives {response.status_code})")
    return response


def _check(holds: bool, what: str) -> None:
    if not holds:
        raise Broken(f"not so: {what}")


def _step(name: str, text: str) -> None:
    print(f"demo: {name:<10} {text}", flush=True)


if __name__ == "__main__":
    main()
