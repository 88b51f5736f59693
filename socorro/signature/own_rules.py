# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Rules of a deployment: functions of its own modules, named in a setting."""

from collections.abc import Callable
from importlib import import_module
from typing import Any

from socorro.signature.draft import Draft, Rule
from socorro.signature.errors import CrashDataError, RuleError


def load_rule(name: str) -> Rule:
    """The rule that "module:function" names; its label is the function's name.

    The function takes a Draft and changes its signature, or leaves it. Whatever it raises becomes
    a note and undoes its change: a deployment's mistake must not leave crashes without signature.

    Raises RuleError if there is no such module or function.
    """
    module, colon, function = name.partition(":")
    if not (module and colon and function):
        raise RuleError(f"{name!r}: expected module:function")
    try:
        act = getattr(import_module(module), function)
    except AttributeError:
        raise RuleError(f"{name!r}: the module has no {function!r}") from None
    except Exception as error:
        # Importing runs the module: anything can go wrong in it.
        raise RuleError(f"{name!r}: {type(error).__name__}: {error}") from error
    if not callable(act):
        raise RuleError(f"{name!r}: {function!r} is no function")
    return Rule(function, _guarded(act))


def _guarded(act: Callable[[Draft], Any]) -> Callable[[Draft], None]:
    def guarded(draft: Draft) -> None:
        before = draft.signature
        try:
            act(draft)
            if not isinstance(draft.signature, str):
                raise TypeError("a signature is a string")
        except CrashDataError:
            raise
        except Exception as error:  # noqa: BLE001  (it is somebody else's code)
            draft.signature = before
            # The class alone: notes are public, and a text may quote an annotation.
            draft.note(f"it failed ({type(error).__name__}) and is left out")

    return guarded
