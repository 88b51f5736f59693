# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Log in and out, by Django's own accounts."""

from django.contrib.auth.views import LoginView, LogoutView
from django.http import HttpRequest
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache


@method_decorator(never_cache, name="dispatch")
class Login(LoginView):
    """The login page; afterwards on to the page that somebody came from."""

    template_name = "crashstats/login.html"
    redirect_authenticated_user = True

    def get_redirect_url(self, request: HttpRequest | None = None) -> str:  # noqa: ARG002
        """Return where to go afterwards; not to this page again."""
        address: str = super().get_redirect_url()
        return "" if address.partition("?")[0] == self.request.path else address


class Logout(LogoutView):
    """Logs out, by POST only."""
