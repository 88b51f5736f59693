// This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
// of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

//! Parsed symbols, kept between crashes within a budget of bytes.

use std::collections::HashMap;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use log::error;
use minidump::Module;
use minidump_unwind::{
    FileError, FileKind, FillSymbolError, FrameSymbolizer, FrameWalker, SymbolError, SymbolFile,
    SymbolProvider, SymbolStats,
};

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
    store: SymbolStore,
    cache: LruCache<PathBuf, Known>,
    /// Bytes of parsed symbols to keep.
    budget: usize,
    /// Bytes of heap beyond which no more symbols are read for a crash.
    ceiling: usize,
    files_read: usize,
}

/// Figures about the symbols at hand.
#[derive(serde::Serialize)]
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

enum Outcome {
    Found(Arc<SymbolFile>),
    Missing,
    Corrupt,
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

    fn find(&mut self, module: &(dyn Module + Sync), mark: u64) -> Outcome {
        // What is not there is looked for again by the next crash: symbols are added at any time.
        let Some(located) = self.store.locate(module) else { return Outcome::Missing };
        match self.cache.get(&located.path) {
            Some(known) if known.identity == located.identity => match &known.symbols {
                Some(symbols) => Outcome::Found(Arc::clone(symbols)),
                None => Outcome::Corrupt,
            },
            _ => self.read(located, mark),
        }
    }

    fn read(&mut self, located: Located, mark: u64) -> Outcome {
        self.cache.remove(&located.path);
        self.files_read += 1;
        let mut before = heap::held();
        let parsed = store::parse(&located.path, || {
            before -= self.make_room(heap::held().saturating_sub(before), mark);
            self.check_ceiling()
        });
        let weight = heap::held().saturating_sub(before);
        match parsed {
            Ok(symbols) => {
                let symbols = Arc::new(symbols);
                self.keep(located, Some(Arc::clone(&symbols)), weight);
                self.make_room(0, mark);
                Outcome::Found(symbols)
            }
            Err(SymbolError::ParseError(reason, line)) => {
                error!("{} line {line}: {reason}", located.path.display());
                self.keep(located, None, 0);
                Outcome::Corrupt
            }
            Err(SymbolError::LoadError(reason)) if is_about_content(&reason) => {
                error!("{}: {reason}", located.path.display());
                self.keep(located, None, 0);
                Outcome::Corrupt
            }
            Err(reason) => {
                error!("{}: {reason:?}", located.path.display());
                Outcome::Missing
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

/// Whether an error will come again for as long as the file stays what it is (broken gzip).
fn is_about_content(reason: &io::Error) -> bool {
    use io::ErrorKind::{InvalidData, InvalidInput, UnexpectedEof};
    matches!(reason.kind(), InvalidData | InvalidInput | UnexpectedEof)
}

/// The symbols as one crash sees them: what it has asked for stays in memory until it is done, and
/// what it found is told in its statistics.
pub struct CrashSymbols<'a> {
    state: Mutex<CrashState<'a>>,
}

struct CrashState<'a> {
    symbols: &'a mut Symbols,
    mark: u64,
    /// By the module's base address: within one minidump it names one module.
    by_module: HashMap<u64, Option<Arc<SymbolFile>>>,
    stats: HashMap<String, SymbolStats>,
}

impl<'a> CrashSymbols<'a> {
    pub fn new(symbols: &'a mut Symbols) -> Self {
        let mark = symbols.cache.now();
        let (by_module, stats) = (HashMap::new(), HashMap::new());
        CrashSymbols { state: Mutex::new(CrashState { symbols, mark, by_module, stats }) }
    }

    fn lock(&self) -> MutexGuard<'_, CrashState<'a>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn of(&self, module: &(dyn Module + Sync)) -> Option<Arc<SymbolFile>> {
        let mut state = self.lock();
        if let Some(known) = state.by_module.get(&module.base_address()) {
            return known.clone();
        }
        state.look_up(module)
    }
}

impl CrashState<'_> {
    fn look_up(&mut self, module: &(dyn Module + Sync)) -> Option<Arc<SymbolFile>> {
        // With nowhere to look, nothing is said to be missing.
        if self.symbols.store.is_empty() {
            return None;
        }
        let outcome = self.symbols.find(module, self.mark);
        let mut stats = SymbolStats::default();
        let found = match outcome {
            Outcome::Found(symbols) => {
                stats.loaded_symbols = true;
                stats.symbol_url.clone_from(&symbols.url);
                Some(symbols)
            }
            Outcome::Corrupt => {
                stats.loaded_symbols = true;
                stats.corrupt_symbols = true;
                None
            }
            Outcome::Missing => None,
        };
        self.stats.insert(leaf_name(&module.code_file()).to_owned(), stats);
        self.by_module.insert(module.base_address(), found.clone());
        found
    }
}

fn leaf_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

#[async_trait]
impl SymbolProvider for CrashSymbols<'_> {
    async fn fill_symbol(
        &self,
        module: &(dyn Module + Sync),
        frame: &mut (dyn FrameSymbolizer + Send),
    ) -> Result<(), FillSymbolError> {
        let symbols = self.of(module).ok_or(FillSymbolError {})?;
        symbols.fill_symbol(module, frame);
        Ok(())
    }

    async fn walk_frame(
        &self,
        module: &(dyn Module + Sync),
        walker: &mut (dyn FrameWalker + Send),
    ) -> Option<()> {
        self.of(module)?.walk_frame(module, walker)
    }

    async fn get_file_path(
        &self,
        _module: &(dyn Module + Sync),
        _file_kind: FileKind,
    ) -> Result<PathBuf, FileError> {
        Err(FileError::NotFound)
    }

    fn stats(&self) -> HashMap<String, SymbolStats> {
        self.lock().stats.clone()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use minidump_unwind::SymbolProvider;

    use super::*;
    use crate::testing::{TestFolder, module, symbol_path, symbols as symbol_text};

    const MIB: usize = 1024 * 1024;
    /// Functions of a symbol file that takes about two MiB once it is parsed.
    const FUNCTIONS: usize = 8000;

    fn symbols_in(folder: &TestFolder, budget: usize) -> Symbols {
        let store = SymbolStore::new(vec![folder.path().to_owned()]);
        Symbols::new(store, budget, 1024 * MIB)
    }

    fn add(folder: &TestFolder, name: &str, functions: usize) -> PathBuf {
        folder.write(&symbol_path(name), symbol_text(functions).as_bytes())
    }

    /// Looks a module up as one crash does; what its statistics say: loaded, corrupt.
    fn crash(symbols: &mut Symbols, name: &str) -> (bool, bool) {
        let mut module = module(name);
        module.code_file = Some(name.to_owned());
        let crash_symbols = CrashSymbols::new(symbols);
        let found = crash_symbols.of(&module).is_some();
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
        let store = SymbolStore::new(vec![folder.path().to_owned()]);
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
        let crash_symbols = CrashSymbols::new(&mut symbols);
        for _ in 0..3 {
            assert!(modules.iter().all(|module| crash_symbols.of(module).is_some()));
        }
        assert_eq!(symbols.files_read, 4);
        symbols.settle();
        assert!(symbols.cache.weight() <= 3 * MIB);
    }

    #[test]
    fn without_folders_nothing_is_said_to_be_missing() {
        let mut symbols = Symbols::new(SymbolStore::new(Vec::new()), MIB, MIB);
        let crash_symbols = CrashSymbols::new(&mut symbols);
        assert!(crash_symbols.of(&module("app")).is_none());
        assert!(crash_symbols.stats().is_empty());
    }
}
