# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The addresses of Crash Stats."""

from django.urls import path

from webapp.crashstats.views import (
    accounts,
    api,
    assets,
    dictionary,
    home,
    report,
    search,
    signature,
)

app_name = "crashstats"

urlpatterns = [
    path("", home.home, name="home"),
    path("report/index/<str:crash_id>", report.report, name="report"),
    path("report/signature/<str:crash_id>", signature.signature, name="signature"),
    path("search/", search.search, name="search"),
    path("search/quick/", search.quick_search, name="quick_search"),
    path("documentation/datadictionary/", dictionary.dictionary_index, name="dictionary"),
    path(
        "documentation/datadictionary/dataset/<str:dataset>/field/<path:path>",
        dictionary.dictionary_entry,
        name="dictionary_entry",
    ),
    path("api/<str:name>/", api.api, name="api"),
    path("login/", accounts.Login.as_view(), name="login"),
    path("logout/", accounts.Logout.as_view(), name="logout"),
    path("robots.txt", assets.robots),
    path("favicon.ico", assets.favicon),
]
