# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Communication between processes that went wrong."""

from socorro.signature.draft import Draft

_MAX_ERROR_CHARS = 100
_BROWSER_DUMP = "upload_file_minidump_browser"


def name_ipc_channel_error(draft: Draft) -> None:
    """ "IPCError-browser | error" or "IPCError-content | error" in place of the signature."""
    error = draft.crash.ipc_channel_error
    if not error:
        return
    side = "browser" if _BROWSER_DUMP in draft.crash.additional_minidumps else "content"
    draft.note(f'it replaces the signature "{draft.signature[:255]}"')
    draft.signature = f"IPCError-{side} | {error[:_MAX_ERROR_CHARS]}"


def name_ipc_message(draft: Draft) -> None:
    """ "X | IPC_Message_Name=name": the message that was being handled."""
    if draft.crash.ipc_message_name:
        draft.signature += f" | IPC_Message_Name={draft.crash.ipc_message_name}"
