"""The manifests match the Kubernetes schemas, from the oldest supported version to the newest."""

from typing import Any

import kubernetes_validate
import pytest
from kubernetes_validate import ValidationError

from tests.deploy.conftest import OLDEST, Objects

# The schemas of these are not part of Kubernetes. docs/kubernetes.md uses the Gateway API.
ADDED = {"gateway.networking.k8s.io/v1"}
VERSIONS = [OLDEST, kubernetes_validate.latest_version()]


@pytest.mark.parametrize("version", VERSIONS)
def test_manifests_match_the_kubernetes_schema(rendered: list[Any], version: str) -> None:
    for one in rendered:
        if one["apiVersion"] not in ADDED:
            kubernetes_validate.validate(one, version, strict=True)


def test_unknown_field_does_not_match_the_schema(objects: Objects, container: Any) -> None:
    container["livenessProbe"]["httpGet"]["pth"] = "/"
    with pytest.raises(ValidationError, match="'pth' was unexpected"):
        kubernetes_validate.validate(objects["Deployment"], OLDEST, strict=True)


def test_version_before_the_oldest_does_not_match(objects: Objects) -> None:
    with pytest.raises(ValidationError):
        kubernetes_validate.validate(objects["Deployment"], "1.28", strict=True)
