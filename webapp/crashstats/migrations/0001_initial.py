# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Access",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
            ],
            options={
                "permissions": [
                    ("view_pii", "View Personal Identifiable Information"),
                    ("view_rawdump", "View Raw Dumps"),
                ],
                "managed": False,
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="PriorityRequest",
            fields=[
                ("crash_id", models.CharField(max_length=36, primary_key=True, serialize=False)),
                ("requested_at", models.DateTimeField(db_index=True)),
            ],
        ),
    ]
