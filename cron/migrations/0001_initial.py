# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Job",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("app_name", models.CharField(max_length=100, unique=True)),
                ("next_run", models.DateTimeField(blank=True, null=True)),
                ("first_run", models.DateTimeField(blank=True, null=True)),
                ("last_run", models.DateTimeField(blank=True, null=True)),
                ("last_success", models.DateTimeField(blank=True, null=True)),
                ("error_count", models.PositiveIntegerField(default=0)),
                ("last_error", models.TextField(blank=True, default="")),
                ("ongoing", models.DateTimeField(blank=True, null=True)),
            ],
        ),
        migrations.CreateModel(
            name="Lease",
            fields=[
                ("name", models.CharField(max_length=100, primary_key=True, serialize=False)),
                ("holder", models.CharField(blank=True, default="", max_length=200)),
                ("expires", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="Log",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("app_name", models.CharField(max_length=100)),
                ("log_time", models.DateTimeField()),
                ("duration", models.FloatField()),
                ("success", models.BooleanField(null=True)),
                ("exc_type", models.CharField(blank=True, default="", max_length=200)),
                ("exc_value", models.TextField(blank=True, default="")),
                ("exc_traceback", models.TextField(blank=True, default="")),
            ],
            options={
                "indexes": [
                    models.Index(fields=["app_name", "-log_time"], name="cron_log_by_job"),
                    models.Index(fields=["log_time"], name="cron_log_by_time"),
                ],
            },
        ),
        migrations.CreateModel(
            name="MissingCrash",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("crash_id", models.CharField(max_length=36, unique=True)),
                ("found", models.DateTimeField()),
                ("queued", models.DateTimeField(blank=True, null=True)),
                ("times_queued", models.PositiveIntegerField(default=0)),
            ],
            options={
                "indexes": [models.Index(fields=["found"], name="cron_missing_by_found")],
            },
        ),
    ]
