"""A made-up Google Cloud that gcloud's commands change and describe.

It knows what deploy.sh needs and no more; what it describes has the fields of Google's own APIs.
"""

from tests.unit.infra.deploy.cloud.whole import Cloud

__all__ = ["Cloud"]
