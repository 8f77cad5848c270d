from __future__ import annotations

import pytest

from infra.local.gateway import function_for


@pytest.mark.parametrize(
    ("method", "path", "function"),
    [
        ("GET", "/jobs", "list_jobs"),
        ("GET", "/jobs?page=2", "list_jobs"),
        ("HEAD", "/jobs/abc", "list_jobs"),
        ("GET", "/jobs/abc?x=/jobs/abc/output", "list_jobs"),
        ("GET", "/jobs/abc/thumbnails", "get_thumbnails"),
        ("DELETE", "/jobs/abc/thumbnails", "get_thumbnails"),
        ("GET", "/jobs/abc/output", "get_output"),
        ("DELETE", "/jobs/abc", "delete_job"),
        ("DELETE", "/api/v1/jobs/abc", "delete_job"),
        ("DELETE", "/jobs", "list_jobs"),
        ("PUT", "/jobs/abc", "list_jobs"),
        ("GET", "/jobs/..%2fx/thumbnails", "get_thumbnails"),
        ("GET", "/elsewhere", "list_jobs"),
    ],
)
def test_each_path_of_the_api_goes_to_its_function(method: str, path: str, function: str) -> None:
    assert function_for(method, path, None) == function


@pytest.mark.parametrize(
    ("wanted", "function"), [("DELETE", "delete_job"), ("GET", "list_jobs"), (None, "list_jobs")]
)
def test_a_preflight_goes_where_the_request_will(wanted: str | None, function: str) -> None:
    assert function_for("OPTIONS", "/jobs/abc", wanted) == function
