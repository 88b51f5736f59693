# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Stored crashes to be processed again: which, how fast, where to, and what is done already."""

# What a task may ask for; a test holds this to the processor's rulesets.
RULESETS = ("default", "regenerate_signature")
