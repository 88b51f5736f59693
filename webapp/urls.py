# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The addresses of the project, and the pages for what goes wrong."""

from django.urls import include, path

urlpatterns = [path("", include("webapp.crashstats.urls"))]

handler400 = "webapp.crashstats.views.errors.bad_request"
handler403 = "webapp.crashstats.views.errors.forbidden"
handler404 = "webapp.crashstats.views.errors.page_not_found"
handler500 = "webapp.crashstats.views.errors.server_error"
