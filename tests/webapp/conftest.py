# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Crash Stats on storage, queue and index of each test's own."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from pytest_django import Settings

from tests.webapp.crashes import Crashes
from webapp.crashstats import handles

PASSWORD = "correct horse battery staple"


@pytest.fixture(autouse=True)
def _own_backends(settings: Settings, tmp_path: Path) -> Iterator[None]:
    data = tmp_path / "data"
    settings.SOCORRO = replace(
        settings.SOCORRO,
        data=data,
        crash_storage=f"fs://{data}/crashes",
        processed_storage="",
        crash_queue=f"local://{data}/queue",
        search=f"embedded://{data}/search",
    )
    settings.SECRET_KEY = "a key for tests and for nothing else, and long enough"
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    yield
    handles.close()


@pytest.fixture
def crashes() -> Crashes:
    """Stores crashes."""
    return Crashes()


@pytest.fixture
def client_with(db: None) -> Callable[..., Client]:
    """Makes a client of somebody who is logged in, with the permissions given by codename."""

    def make(*codenames: str) -> Client:
        user = User.objects.create_user(f"someone{User.objects.count()}", password=PASSWORD)
        user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
        assert user.user_permissions.count() == len(codenames)
        client = Client()
        client.force_login(user)
        return client

    return make


@pytest.fixture
def trusted(client_with: Callable[..., Client]) -> Client:
    """A client of somebody who may see protected data."""
    return client_with("view_pii")
