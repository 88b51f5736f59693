// This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
// of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

//! Folders of symbols for tests.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::process;
use std::str::FromStr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};

use breakpad_symbols::SimpleModule;
use debugid::DebugId;

pub const DEBUG_ID: &str = "5A9832E5287241C1838ED98914E9B7FF1";

static FOLDERS: AtomicUsize = AtomicUsize::new(0);

/// A folder that is removed when the test is over.
pub struct TestFolder(PathBuf);

impl TestFolder {
    pub fn new() -> Self {
        let number = FOLDERS.fetch_add(1, Ordering::Relaxed);
        let name = format!("socorro-stackwalker-{}-{number}", process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).unwrap();
        TestFolder(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Writes a file below the folder, with the folders on the way to it.
    pub fn write(&self, relative: &str, content: &[u8]) -> PathBuf {
        let path = self.0.join(relative);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path
    }
}

impl Drop for TestFolder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

pub fn module(debug_file: &str) -> SimpleModule {
    SimpleModule::new(debug_file, DebugId::from_str(DEBUG_ID).unwrap())
}

/// Where the symbols of `module(name)` lie.
pub fn symbol_path(name: &str) -> String {
    format!("{name}/{DEBUG_ID}/{name}.sym")
}

/// A symbol file with so many functions, each with a line.
pub fn symbols(functions: usize) -> String {
    let mut text = format!("MODULE Linux x86_64 {DEBUG_ID} test\nFILE 0 main.c\n");
    for number in 0..functions {
        let address = 0x1000 + number * 16;
        writeln!(text, "FUNC {address:x} 10 0 a_function_{number}\n{address:x} 10 7 0").unwrap();
    }
    text
}

/// The output of a future that waits for nothing.
pub fn now<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("it waits"),
    }
}
