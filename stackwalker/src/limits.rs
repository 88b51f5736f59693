// This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
// of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

//! Limits on this process, which works on hostile input and must not outlive its parent.

use std::io;
use std::thread;
use std::time::Duration;

/// How often a child whose parent hung up looks whether the parent is gone.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Limits the address space to `bytes` and writes no core files.
pub fn limit_memory(bytes: usize) -> io::Result<()> {
    set_limit(libc::RLIMIT_AS, bytes as libc::rlim_t)?;
    set_limit(libc::RLIMIT_CORE, 0)
}

fn set_limit(resource: libc::__rlimit_resource_t, value: libc::rlim_t) -> io::Result<()> {
    let limit = libc::rlimit { rlim_cur: value, rlim_max: value };
    // SAFETY: the structure lives for the length of the call.
    match unsafe { libc::setrlimit(resource, &limit) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Lets the kernel end this process after `seconds`, should the parent not do it; 0 calls that off.
pub fn set_alarm(seconds: u32) {
    // SAFETY: alarm has no preconditions.
    unsafe { libc::alarm(seconds) };
}

/// Ends this process when its parent dies, even in the middle of a walk.
///
/// The parent's end of standard input closes then. (The kernel's own signal for this is sent when
/// the *thread* that started the child ends, which happens in healthy processors.)
pub fn end_with_parent() -> io::Result<()> {
    // SAFETY: getppid has no preconditions.
    let parent = unsafe { libc::getppid() };
    let watch = move || {
        wait_for_hangup();
        // A living parent may close the input too: then the requests already read are answered.
        // SAFETY: as above; _exit ends the process at once, which is what is wanted.
        while unsafe { libc::getppid() } == parent {
            thread::sleep(LOOK_EVERY);
        }
        unsafe { libc::_exit(0) };
    };
    thread::Builder::new().name("watch".into()).stack_size(64 * 1024).spawn(watch).map(|_| ())
}

fn wait_for_hangup() {
    let mut input = libc::pollfd { fd: libc::STDIN_FILENO, events: 0, revents: 0 };
    // SAFETY: the structure lives for the length of the call.
    while unsafe { libc::poll(&mut input, 1, -1) } < 1 {}
}
