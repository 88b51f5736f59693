// This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
// of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

//! Parsed symbols, kept between crashes within a budget of bytes.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use log::error;
use minidump_unwind::{SymbolError, SymbolFile};
use serde::{Deserialize, Serialize};

use crate::cache::LruCache;
use crate::heap;
use crate::store::{self, Identity, Located, SymbolStore};

/// A symbol file as it was when it was read: parsed, or found to be corrupt.
struct Known {
    identity: Identity,
    symbols: Option<Arc<SymbolFile>>,
}

/// The symbols of all crashes: where they are found, and those that are kept parsed.
pub struct Symbols {
    pub store: SymbolStore,
    cache: LruCache<PathBuf, Known>,
    /// Bytes of parsed symbols to keep.
    budget: usize,
    /// Bytes of heap beyond which no more symbols are read for a crash.
    ceiling: usize,
    files_read: usize,
}

/// Figures about the symbols at hand.
#[derive(Default, Serialize)]
pub struct Figures {
    /// Bytes that the heap holds.
    pub heap_bytes: usize,
    /// Bytes of these that are parsed symbols.
    pub symbol_bytes: usize,
    /// Symbol files that are kept.
    pub symbol_files: usize,
    /// Symbol files read since the start.
    pub files_read: usize,
}

/// What became of a module's symbols. `NotFound`, `ServerError` and `TooSlow` may be the parent's words.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    Loaded,
    Corrupt,
    /// Nobody has them.
    NotFound,
    /// Neither a debug id nor a code id with which to look for them.
    NoId,
    /// Beyond the limits of memory or size.
    TooLarge,
    /// The file could not be read.
    Unreadable,
    ServerError,
    /// They did not come, or were not read, in the time there is for it.
    TooSlow,
}

/// What became of the symbols of one module of a crash.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ModuleSymbols {
    /// Its base address.
    pub module: u64,
    pub status: Status,
    /// The file, if it lies in the cache.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<PathBuf>,
}

/// What one crash may take of the symbols.
#[derive(Clone, Copy)]
pub struct Bounds {
    /// What the crash at hand used, it used after this mark of the cache.
    pub mark: u64,
    /// When to read no more symbols.
    pub until: Option<Instant>,
}

impl Symbols {
    pub fn new(store: SymbolStore, budget: usize, ceiling: usize) -> Self {
        Symbols { store, cache: LruCache::new(), budget, ceiling, files_read: 0 }
    }

    pub fn figures(&self) -> Figures {
        Figures {
            heap_bytes: heap::held(),
            symbol_bytes: self.cache.weight(),
            symbol_files: self.cache.len(),
            files_read: self.files_read,
        }
    }

    /// Brings the kept symbols back within the budget; called when no crash uses them.
    pub fn settle(&mut self) {
        self.cache.shrink_to(self.budget, self.cache.now());
    }

    /// A mark of this moment.
    pub fn now(&self) -> u64 {
        self.cache.now()
    }

    /// The symbols of a file, or what is wrong with them.
    pub fn load(&mut self, located: Located, bounds: Bounds) -> Result<Arc<SymbolFile>, Status> {
        match self.cache.get(&located.path) {
            Some(known) if known.identity == located.identity => {
                known.symbols.clone().ok_or(Status::Corrupt)
            }
            _ => self.read(located, bounds),
        }
    }

    fn read(&mut self, located: Located, bounds: Bounds) -> Result<Arc<SymbolFile>, Status> {
        self.cache.remove(&located.path);
        self.files_read += 1;
        let mut before = heap::held();
        let parsed = store::parse(&located.path, || {
            before -= self.make_room(heap::held().saturating_sub(before), bounds.mark);
            self.check_ceiling()?;
            check_time(bounds.until)
        });
        let weight = heap::held().saturating_sub(before);
        match parsed {
            Ok(symbols) => {
                let symbols = Arc::new(symbols);
                self.keep(located, Some(Arc::clone(&symbols)), weight);
                self.make_room(0, bounds.mark);
                Ok(symbols)
            }
            Err(reason) => {
                let status = status_of(&reason);
                error!("{}: {}", located.path.display(), sentence_of(reason));
                if status == Status::Corrupt {
                    self.keep(located, None, 0);
                }
                Err(status)
            }
        }
    }

    /// Keeps what a file held, unless it alone is beyond the budget: then only the crash at hand
    /// uses it.
    fn keep(&mut self, located: Located, symbols: Option<Arc<SymbolFile>>, weight: usize) {
        if weight <= self.budget {
            let known = Known { identity: located.identity, symbols };
            self.cache.insert(located.path, known, weight);
        }
    }

    /// Drops symbols of earlier crashes so that `growing` bytes more fit. Returns the bytes freed.
    fn make_room(&mut self, growing: usize, mark: u64) -> usize {
        let held = heap::held();
        self.cache.shrink_to(self.budget.saturating_sub(growing), mark);
        held.saturating_sub(heap::held())
    }

    fn check_ceiling(&self) -> io::Result<()> {
        if heap::held() <= self.ceiling {
            return Ok(());
        }
        Err(io::Error::new(io::ErrorKind::OutOfMemory, "not read: too large for the memory limit"))
    }
}

fn check_time(until: Option<Instant>) -> io::Result<()> {
    match until {
        Some(until) if Instant::now() > until => {
            Err(io::Error::new(io::ErrorKind::TimedOut, "not read to its end: no time is left"))
        }
        _ => Ok(()),
    }
}

fn status_of(reason: &SymbolError) -> Status {
    use io::ErrorKind::{
        FileTooLarge, InvalidData, InvalidInput, OutOfMemory, TimedOut, UnexpectedEof,
    };
    match reason {
        SymbolError::ParseError(..) => Status::Corrupt,
        SymbolError::LoadError(reason) => match reason.kind() {
            InvalidData | InvalidInput | UnexpectedEof => Status::Corrupt,
            OutOfMemory | FileTooLarge => Status::TooLarge,
            TimedOut => Status::TooSlow,
            _ => Status::Unreadable,
        },
        _ => Status::Unreadable,
    }
}

fn sentence_of(reason: SymbolError) -> String {
    match reason {
        SymbolError::ParseError(reason, line) => format!("line {line}: {reason}"),
        SymbolError::LoadError(reason) => reason.to_string(),
        other => format!("{other:?}"),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::time::Duration;

    use minidump_unwind::SymbolProvider;

    use super::*;
    use crate::crash_symbols::CrashSymbols;
    use crate::testing::{TestFolder, module, now, symbol_path, symbols as symbol_text};

    const MIB: usize = 1024 * 1024;
    /// Functions of a symbol file that takes about two MiB once it is parsed.
    const FUNCTIONS: usize = 8000;

    fn symbols_in(folder: &TestFolder, budget: usize) -> Symbols {
        let store = SymbolStore::new(vec![folder.path().to_owned()], vec![]);
        Symbols::new(store, budget, 1024 * MIB)
    }

    fn add(folder: &TestFolder, name: &str, functions: usize) -> PathBuf {
        folder.write(&symbol_path(name), symbol_text(functions).as_bytes())
    }

    /// Looks a module up as one crash does; what its statistics say: loaded, corrupt.
    fn crash(symbols: &mut Symbols, name: &str) -> (bool, bool) {
        let mut module = module(name);
        module.code_file = Some(name.to_owned());
        let crash_symbols = CrashSymbols::new(symbols, Duration::ZERO, None);
        let found = now(crash_symbols.of(&module)).is_some();
        let stats = crash_symbols.stats()[name].clone();
        assert_eq!(found, stats.loaded_symbols && !stats.corrupt_symbols);
        symbols.settle();
        (stats.loaded_symbols, stats.corrupt_symbols)
    }

    #[test]
    fn symbols_are_read_once_for_many_crashes() {
        let folder = TestFolder::new();
        add(&folder, "app", 10);
        let mut symbols = symbols_in(&folder, MIB);
        for _ in 0..3 {
            assert_eq!(crash(&mut symbols, "app"), (true, false));
        }
        assert_eq!(symbols.files_read, 1);
    }

    #[test]
    fn symbols_added_later_are_found_by_the_next_crash() {
        let folder = TestFolder::new();
        let mut symbols = symbols_in(&folder, MIB);
        assert_eq!(crash(&mut symbols, "app"), (false, false));
        add(&folder, "app", 10);
        assert_eq!(crash(&mut symbols, "app"), (true, false));
    }

    #[test]
    fn a_file_that_changed_is_read_again() {
        let folder = TestFolder::new();
        add(&folder, "app", 10);
        let mut symbols = symbols_in(&folder, MIB);
        crash(&mut symbols, "app");
        add(&folder, "app", 20);
        assert_eq!(crash(&mut symbols, "app"), (true, false));
        assert_eq!((symbols.files_read, symbols.cache.len()), (2, 1));
        fs::remove_file(folder.path().join(symbol_path("app"))).unwrap();
        assert_eq!(crash(&mut symbols, "app"), (false, false));
    }

    #[test]
    fn a_corrupt_file_is_read_once_and_told() {
        let folder = TestFolder::new();
        folder.write(&symbol_path("app"), b"this is no symbol file\n");
        folder.write(&format!("{}.gz", symbol_path("zipped")), b"\x1f\x8b and no more");
        let mut symbols = symbols_in(&folder, MIB);
        for name in ["app", "zipped", "app", "zipped"] {
            assert_eq!(crash(&mut symbols, name), (true, true));
        }
        assert_eq!(symbols.files_read, 2);
    }

    #[test]
    fn kept_symbols_stay_within_the_budget() {
        let folder = TestFolder::new();
        let budget = 8 * MIB;
        let mut symbols = symbols_in(&folder, budget);
        for number in 0..12 {
            let name = format!("app{number}");
            add(&folder, &name, FUNCTIONS);
            crash(&mut symbols, &name);
            assert!(symbols.cache.weight() <= budget);
        }
        assert!((2..12).contains(&symbols.cache.len()), "{}", symbols.cache.len());
        crash(&mut symbols, "app11");
        assert_eq!(symbols.files_read, 12, "the latest is kept");
        crash(&mut symbols, "app0");
        assert_eq!(symbols.files_read, 13, "the oldest is not");
    }

    #[test]
    fn symbols_larger_than_the_budget_serve_their_crash_and_are_dropped() {
        let folder = TestFolder::new();
        add(&folder, "huge", FUNCTIONS);
        let mut symbols = symbols_in(&folder, MIB / 2);
        assert_eq!(crash(&mut symbols, "huge"), (true, false));
        assert_eq!((symbols.cache.len(), symbols.cache.weight()), (0, 0));
    }

    #[test]
    fn symbols_beyond_the_ceiling_are_not_read() {
        let folder = TestFolder::new();
        add(&folder, "huge", FUNCTIONS);
        let store = SymbolStore::new(vec![folder.path().to_owned()], vec![]);
        let mut symbols = Symbols::new(store, MIB, 0);
        assert_eq!(crash(&mut symbols, "huge"), (false, false));
    }

    #[test]
    fn one_crash_keeps_all_it_uses_even_beyond_the_budget() {
        let folder = TestFolder::new();
        let mut symbols = symbols_in(&folder, 3 * MIB);
        let mut modules = Vec::new();
        for number in 0..4_u64 {
            let name = format!("app{number}");
            add(&folder, &name, FUNCTIONS);
            let mut module = module(&name);
            module.base_address = Some(number * 0x1000_0000);
            modules.push(module);
        }
        let crash_symbols = CrashSymbols::new(&mut symbols, Duration::ZERO, None);
        for _ in 0..3 {
            assert!(modules.iter().all(|module| now(crash_symbols.of(module)).is_some()));
        }
        assert_eq!(symbols.files_read, 4);
        symbols.settle();
        assert!(symbols.cache.weight() <= 3 * MIB);
    }

    #[test]
    fn without_folders_nothing_is_said_to_be_missing() {
        let mut symbols = Symbols::new(SymbolStore::new(Vec::new(), Vec::new()), MIB, MIB);
        let crash_symbols = CrashSymbols::new(&mut symbols, Duration::ZERO, None);
        assert!(now(crash_symbols.of(&module("app"))).is_none());
        assert!(crash_symbols.stats().is_empty());
    }
}
