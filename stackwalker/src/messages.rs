// This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
// of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

//! Collects the messages of a walk, so that they come with its answer.

use std::panic;
use std::sync::{Mutex, MutexGuard, PoisonError};

use log::{LevelFilter, Log, Metadata, Record, error};

/// Bytes of messages kept for one walk; one that does not fit is left out.
const MAX_MESSAGES: usize = 16 * 1024;

static MESSAGES: Mutex<String> = Mutex::new(String::new());

struct Collector;

fn messages() -> MutexGuard<'static, String> {
    MESSAGES.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Log for Collector {
    fn enabled(&self, _metadata: &Metadata) -> bool {
        true
    }

    fn log(&self, record: &Record) {
        add(&format!("{} {}\n", record.level(), record.args()));
    }

    fn flush(&self) {}
}

fn add(message: &str) {
    let mut messages = messages();
    if messages.len() + message.len() <= MAX_MESSAGES {
        messages.push_str(message);
    }
}

/// Collects errors and panics from now on.
pub fn collect() {
    // It fails only where a logger is set already, which nothing else here does.
    let _ = log::set_logger(&Collector);
    log::set_max_level(LevelFilter::Error);
    panic::set_hook(Box::new(|panic| error!("Panic - {panic}")));
}

/// The messages since the last call.
pub fn take() -> String {
    std::mem::take(&mut messages())
}
