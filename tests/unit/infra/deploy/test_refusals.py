"""What deploy.sh and its documentation have a person type."""

from __future__ import annotations

import re

from tests.unit.infra.deploy.checkout import Checkout
from tests.unit.infra.deploy.refusals import advised
from tests.unit.infra.test_gcloud_lint import documented

NEED_NONE = re.compile("gcloud (auth|projects|billing) |gs://")
"""Those of no project, those that name it, and names of buckets, which are unique worldwide."""


def test_a_command_that_a_refusal_names_is_about_the_project_that_was_deployed_to(checkout: Checkout) -> None:
    named = [*advised(checkout)]
    assert len(named) > 12
    assert [command for command in named if not command.endswith(" --project=nuumee-test")] == []


def test_a_command_in_the_documentation_names_its_project() -> None:
    commands = [command for command in documented() if not NEED_NONE.search(command)]
    assert len(commands) > 20
    assert [command for command in commands if "--project=nuumee-test" not in command] == []
