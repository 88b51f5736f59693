# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("crashstats", "0001_initial")]

    operations = [
        migrations.AlterModelOptions(
            name="access",
            options={
                "default_permissions": (),
                "managed": False,
                "permissions": [
                    ("view_pii", "View Personal Identifiable Information"),
                    ("view_rawdump", "View Raw Dumps"),
                    ("reprocess_crashes", "Reprocess Crashes"),
                ],
            },
        ),
    ]
