"""How the rules of Firebase Hosting are read, compared with Firebase's own reading of them."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest

from infra.functions import table
from infra.hosting import FILE, Glob, Hosting, NotSupported, hosting
from infra.local.gateway import upstream_for
from infra.stage import ROOT

GLOBS = (
    *("!/@(v|public|__)/**", "!/@(v|public|__|_next)/**", "/_next/static/**", "/v/**", "**/.*", "**"),
    *("/*", "/jobs/*", "/**/*.js", "**/*.@(js|css)", "/a/**/b", "/a*c/d", "/jobs/", "!/jobs/*", "/"),
)
PATHS = (
    *("/", "/index.html", "/jobs", "/jobs/", "/jobs/index.html", "/jobs//index.html", "//jobs/", "/.complete"),
    *("/v", "/v/", "/v/25ca1d0f", "/v/25ca1d0f/video.mp4", "/v/.a", "/va/b", "/public/video/a", "/publicity/b"),
    *("/_next/", "/_next/x.js", "/_next/static/a/(b)/[c]/d-1~2.js", "/_next/static/.a/b.js", "/__/auth/iframe"),
    *(
        "/a/b",
        "/a/x/b",
        "/a/x/y/b",
        "/abc/d",
        "/ac/d",
        "/abc/",
        "/x.css",
        "/y/x.css",
        ".complete",
        "a/.b",
        "a/b.c",
    ),
)
MATCHER = "infra/local/auth/node_modules/superstatic/lib/utils/patterns.js"
"""Of Firebase's emulator of Hosting: https://github.com/firebase/superstatic"""
SCHEMA = ROOT / "infra/local/auth/node_modules/firebase-tools/schema/firebase-config.json"
MATCH = f"""
    const {{ configMatcher }} = require("./{MATCHER}");
    const [globs, paths] = JSON.parse(require("fs").readFileSync(0, "utf8"));
    console.log(JSON.stringify(globs.map((source) => paths.filter((path) => configMatcher(path, {{ source }})))));
"""


def test_a_pattern_matches_what_firebases_own_matcher_matches() -> None:
    asked = json.dumps([GLOBS, PATHS])
    theirs = subprocess.run(
        ["node", "-e", MATCH], cwd=ROOT, input=asked, capture_output=True, text=True, check=True
    )
    ours = [[path for path in PATHS if Glob(source).matches(path)] for source in GLOBS]
    assert ours == json.loads(theirs.stdout)


@pytest.mark.parametrize(
    "source", ["/a?", "/[ab]", "/{a,b}", "/+(a)", "/!(a)", "/@(a*)", "/a**", r"/\*", "/@(a", "/***"]
)
def test_a_pattern_of_another_form_is_refused(source: str) -> None:
    with pytest.raises(NotSupported, match=r"only \*, \*\*, @\(a\|b\) and a leading ! are known"):
        Glob(source)


def read(**changes: Any) -> Hosting:
    return Hosting({"hosting": {"public": "out", "trailingSlash": True, **changes}})


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"redirects": []}, "hosting has redirects"),
        ({"cleanUrls": True, "i18n": {}}, "hosting has cleanUrls, i18n"),
        ({"trailingSlash": False}, "trailingSlash must be true"),
    ],
)
def test_what_the_local_cloud_would_not_do_is_refused(changes: dict[str, Any], problem: str) -> None:
    with pytest.raises(NotSupported, match=problem):
        read(**changes)


def test_all_rules_that_match_add_their_headers() -> None:
    rules = [("/**", "A", "1"), ("/jobs/**", "B", "2"), ("/jobs/*", "C", "3")]
    headers = [{"source": source, "headers": [{"key": key, "value": value}]} for source, key, value in rules]
    assert read(headers=headers).headers("/jobs/a") == {"A": "1", "B": "2", "C": "3"}
    assert read(headers=headers).headers("/") == {"A": "1"}
    assert read().headers("/") == {}


def test_two_values_of_a_header_are_refused() -> None:
    headers = [{"source": source, "headers": [{"key": "A", "value": "1"}]} for source in ("/**", "/jobs/*")]
    with pytest.raises(NotSupported, match="/jobs/a has two rules for A"):
        read(headers=headers).headers("/jobs/a")


@pytest.mark.parametrize("path", PATHS)
def test_a_path_has_at_most_one_rule_for_each_header(path: str) -> None:
    hosting().headers(path)


@pytest.mark.parametrize(
    "path", ["/v/25ca1d0f", "/v/25ca1d0f/video.mp4", "/public/video/25ca1d0f", "/__/auth/iframe"]
)
def test_a_response_that_is_not_of_the_page_keeps_its_own_headers(path: str) -> None:
    # Firebase's emulator adds a rule's headers to a service's responses too, and the player may be embedded.
    assert hosting().headers(path) == {}


def test_what_goes_to_a_service_is_what_its_function_answers() -> None:
    services = {function.name.replace("_", "-"): function for function in table().functions.values()}
    sources = []
    for rewrite in json.loads(FILE.read_text())["hosting"]["rewrites"]:
        assert (rewrite.keys(), rewrite["run"].keys()) == ({"source", "run"}, {"serviceId"})
        source, function = Glob(rewrite["source"]), services[rewrite["run"]["serviceId"]]
        routes = [route.path.format(short_id="25ca1d0f") for route in function.routes]
        matched = [path for path in routes if source.matches(path)]
        assert matched
        assert {upstream_for("GET", path, None) for path in matched} == {function.name}
        sources.append(source)
    public = [
        route.path for function in table().functions.values() if function.public for route in function.routes
    ]
    assert all(any(source.matches(path) for source in sources) for path in public)


def test_the_mark_of_a_build_is_not_part_of_the_page() -> None:
    assert hosting().ignores(".complete")
    assert not hosting().ignores("jobs/__next._tree.txt")


def test_firebase_knows_every_key_of_the_file() -> None:
    known = json.loads(SCHEMA.read_text())["definitions"]["HostingSingle"]["properties"]
    assert json.loads(FILE.read_text())["hosting"].keys() <= known.keys()
