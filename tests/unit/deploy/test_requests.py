"""deploy/requests.txt: the requests that the tests of the image send fit the app."""

import pytest
from fastapi.testclient import TestClient

from app.main import create_app
from app.settings import Settings
from deploy.load import REQUESTS, read


def test_the_app_answers_the_declared_requests() -> None:
    with TestClient(create_app(Settings()), raise_server_exceptions=False) as client:
        for request in read(REQUESTS):
            content = request.body or None
            answer = client.request(request.method, request.path, content=content, headers=request.headers)
            # 5xx: what the app needs beside itself may be missing here. `make verify` asks a running container.
            if not answer.is_success and answer.status_code < 500:
                pytest.fail(f"{REQUESTS.name}: {request} is answered with {answer.status_code}: change it")
