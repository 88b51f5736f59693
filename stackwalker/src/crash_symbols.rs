// This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
// of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

//! The symbols as one crash sees them.

use std::collections::HashMap;
use std::future::poll_fn;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use log::error;
use minidump::Module;
use minidump_unwind::{
    FileError, FileKind, FillSymbolError, FrameSymbolizer, FrameWalker, SymbolFile, SymbolProvider,
    SymbolStats,
};

use crate::protocol::{Given, Parent};
use crate::store::{Located, relative_path};
use crate::symbols::{Bounds, ModuleSymbols, Status, Symbols};

/// What a crash has asked for stays in memory until it is done, and what it found is told in its
/// statistics. Symbols that are not there are asked of the parent; meanwhile other stacks are walked.
pub struct CrashSymbols<'a> {
    state: Mutex<CrashState<'a>>,
}

struct CrashState<'a> {
    symbols: &'a mut Symbols,
    bounds: Bounds,
    parent: Option<&'a mut dyn Parent>,
    /// By the module's base address, which names one module within a minidump.
    by_module: HashMap<u64, Option<Arc<SymbolFile>>>,
    waiting: HashMap<u64, Waiting>,
    stats: HashMap<String, SymbolStats>,
    told: Vec<ModuleSymbols>,
}

/// A module whose symbols the parent was asked for.
#[derive(Default)]
struct Waiting {
    given: Option<Given>,
    wakers: Vec<Waker>,
}

impl<'a> CrashSymbols<'a> {
    /// The symbols for one crash. `reading` is the time in which they are read; zero is no limit.
    pub fn new(
        symbols: &'a mut Symbols,
        reading: Duration,
        parent: Option<&'a mut dyn Parent>,
    ) -> Self {
        let until = (!reading.is_zero()).then(|| Instant::now() + reading);
        let bounds = Bounds { mark: symbols.now(), until };
        CrashSymbols {
            state: Mutex::new(CrashState {
                symbols,
                bounds,
                parent,
                by_module: HashMap::new(),
                waiting: HashMap::new(),
                stats: HashMap::new(),
                told: Vec::new(),
            }),
        }
    }

    /// Waits for an answer of the parent. An error if there will be none.
    pub fn receive(&self) -> io::Result<()> {
        let mut state = self.lock();
        let given = match &mut state.parent {
            Some(parent) => parent.given()?,
            None => None,
        };
        state.take(given.ok_or(io::ErrorKind::UnexpectedEof)?)
    }

    /// What became of the symbols of all modules that were asked for.
    pub fn told(&self) -> Vec<ModuleSymbols> {
        self.lock().told.clone()
    }

    pub async fn of(&self, module: &(dyn Module + Sync)) -> Option<Arc<SymbolFile>> {
        poll_fn(|context| self.lock().poll(module, context.waker())).await
    }

    fn lock(&self) -> MutexGuard<'_, CrashState<'a>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl CrashState<'_> {
    fn poll(
        &mut self,
        module: &(dyn Module + Sync),
        waker: &Waker,
    ) -> Poll<Option<Arc<SymbolFile>>> {
        let base = module.base_address();
        if let Some(known) = self.by_module.get(&base) {
            return Poll::Ready(known.clone());
        }
        // With nowhere to look, nothing is said to be missing.
        if self.symbols.store.is_empty() {
            return Poll::Ready(None);
        }
        let located = match self.waiting.get_mut(&base) {
            Some(Waiting { given: None, wakers }) => {
                wakers.push(waker.clone());
                return Poll::Pending;
            }
            Some(Waiting { given: Some(given), .. }) => match given.file.take() {
                Some(file) => self.symbols.store.given(file).ok_or(Status::Unreadable),
                None => Err(given.status.unwrap_or(Status::NotFound)),
            },
            None => match self.locate(module) {
                Err(Status::NotFound) if self.ask(module, waker) => return Poll::Pending,
                located => located,
            },
        };
        Poll::Ready(self.settle(module, located))
    }

    fn locate(&self, module: &(dyn Module + Sync)) -> Result<Located, Status> {
        let relative = relative_path(module).ok_or(Status::NoId)?;
        // What is not there is looked for again by the next crash: symbols are added at any time.
        self.symbols.store.locate(&relative).ok_or(Status::NotFound)
    }

    /// Asks the parent for a module's symbols; false if that cannot be done.
    fn ask(&mut self, module: &(dyn Module + Sync), waker: &Waker) -> bool {
        let (Some(parent), Some(relative)) = (&mut self.parent, relative_path(module)) else {
            return false;
        };
        let base = module.base_address();
        if let Err(reason) = parent.want(base, &relative) {
            error!("cannot ask for symbols: {reason}");
            return false;
        }
        self.waiting.insert(base, Waiting { given: None, wakers: vec![waker.clone()] });
        true
    }

    fn take(&mut self, given: Given) -> io::Result<()> {
        let waiting = self.waiting.get_mut(&given.want).ok_or(io::ErrorKind::InvalidData)?;
        waiting.given = Some(given);
        waiting.wakers.drain(..).for_each(Waker::wake);
        Ok(())
    }

    /// Loads what was located, and writes down what became of it.
    fn settle(
        &mut self,
        module: &(dyn Module + Sync),
        located: Result<Located, Status>,
    ) -> Option<Arc<SymbolFile>> {
        let mut file = None;
        let loaded = located.and_then(|located| {
            file = located.cached.then(|| located.path.clone());
            self.symbols.load(located, self.bounds)
        });
        let status = loaded.as_ref().map_or_else(|status| *status, |_| Status::Loaded);
        let found = loaded.ok();
        self.tell(module, status, file);
        let url = found.as_ref().and_then(|symbols| symbols.url.clone());
        let stats = SymbolStats {
            symbol_url: url,
            loaded_symbols: matches!(status, Status::Loaded | Status::Corrupt),
            corrupt_symbols: status == Status::Corrupt,
            ..SymbolStats::default()
        };
        self.stats.insert(leaf_name(&module.code_file()).to_owned(), stats);
        self.by_module.insert(module.base_address(), found.clone());
        found
    }

    fn tell(&mut self, module: &(dyn Module + Sync), status: Status, file: Option<PathBuf>) {
        self.told.push(ModuleSymbols { module: module.base_address(), status, file });
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
        let symbols = self.of(module).await.ok_or(FillSymbolError {})?;
        symbols.fill_symbol(module, frame);
        Ok(())
    }

    async fn walk_frame(
        &self,
        module: &(dyn Module + Sync),
        walker: &mut (dyn FrameWalker + Send),
    ) -> Option<()> {
        self.of(module).await?.walk_frame(module, walker)
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
    use std::collections::VecDeque;
    use std::pin::pin;
    use std::task::Context;

    use super::*;
    use crate::store::SymbolStore;
    use crate::testing::{TestFolder, module, now, symbol_path, symbols as symbol_text};

    /// A parent whose answers are known before.
    #[derive(Default)]
    struct Fake {
        wanted: Vec<String>,
        answers: VecDeque<Given>,
    }

    impl Parent for Fake {
        fn want(&mut self, _module: u64, symbols: &str) -> io::Result<()> {
            self.wanted.push(symbols.to_owned());
            Ok(())
        }

        fn given(&mut self) -> io::Result<Option<Given>> {
            Ok(self.answers.pop_front())
        }
    }

    fn symbols_in(folder: &TestFolder) -> Symbols {
        Symbols::new(SymbolStore::new(vec![folder.path().to_owned()], vec![]), 1 << 20, 1 << 30)
    }

    fn at(base: u64, name: &str) -> breakpad_symbols::SimpleModule {
        let mut module = module(name);
        module.base_address = Some(base);
        module
    }

    #[test]
    fn symbols_that_are_not_there_are_asked_for_at_once_and_awaited() {
        let (folder, cache) = (TestFolder::new(), TestFolder::new());
        let file = cache.write(&symbol_path("b"), symbol_text(3).as_bytes());
        let mut parent = Fake::default();
        parent.answers.push_back(Given { want: 2, file: Some(file.clone()), status: None });
        let none = Given { want: 1, file: None, status: Some(Status::ServerError) };
        parent.answers.push_back(none);
        let mut symbols = symbols_in(&folder);
        let (a, b) = (at(1, "a"), at(2, "b"));
        let crash = CrashSymbols::new(&mut symbols, Duration::ZERO, Some(&mut parent));
        let mut context = Context::from_waker(Waker::noop());
        {
            let (mut of_a, mut of_b) = (pin!(crash.of(&a)), pin!(crash.of(&b)));
            assert!(of_a.as_mut().poll(&mut context).is_pending());
            assert!(of_b.as_mut().poll(&mut context).is_pending());
            crash.receive().unwrap();
            assert!(of_a.as_mut().poll(&mut context).is_pending());
            assert!(matches!(of_b.poll(&mut context), Poll::Ready(Some(_))));
            crash.receive().unwrap();
            assert!(matches!(of_a.poll(&mut context), Poll::Ready(None)));
        }
        assert!(crash.receive().is_err(), "nothing more comes");
        assert!(now(crash.of(&a)).is_none());
        let told = |module, status, file| ModuleSymbols { module, status, file };
        assert_eq!(
            crash.told(),
            [told(2, Status::Loaded, Some(file)), told(1, Status::ServerError, None)]
        );
        drop(crash);
        assert_eq!(parent.wanted, [symbol_path("a"), symbol_path("b")]);
    }

    #[test]
    fn symbols_in_a_folder_are_not_asked_for() {
        let folder = TestFolder::new();
        folder.write(&symbol_path("a"), symbol_text(3).as_bytes());
        let mut parent = Fake::default();
        let mut symbols = symbols_in(&folder);
        let crash = CrashSymbols::new(&mut symbols, Duration::ZERO, Some(&mut parent));
        assert!(now(crash.of(&at(1, "a"))).is_some());
        drop(crash);
        assert!(parent.wanted.is_empty());
    }

    #[test]
    fn a_module_without_any_id_is_not_asked_for() {
        let folder = TestFolder::new();
        let mut parent = Fake::default();
        let mut symbols = symbols_in(&folder);
        let crash = CrashSymbols::new(&mut symbols, Duration::ZERO, Some(&mut parent));
        let mut nameless = at(1, "a");
        nameless.debug_id = None;
        assert!(now(crash.of(&nameless)).is_none());
        assert_eq!(crash.told()[0].status, Status::NoId);
        drop(crash);
        assert!(parent.wanted.is_empty());
    }

    #[test]
    fn an_answer_to_no_question_ends_the_walk() {
        let folder = TestFolder::new();
        let mut parent = Fake::default();
        parent.answers.push_back(Given { want: 9, file: None, status: None });
        let mut symbols = symbols_in(&folder);
        let crash = CrashSymbols::new(&mut symbols, Duration::ZERO, Some(&mut parent));
        assert!(crash.receive().is_err());
    }

    #[test]
    fn no_symbols_are_read_when_the_time_for_it_is_over() {
        let folder = TestFolder::new();
        folder.write(&symbol_path("a"), symbol_text(3).as_bytes());
        let mut symbols = symbols_in(&folder);
        let crash = CrashSymbols::new(&mut symbols, Duration::from_nanos(1), None);
        assert!(now(crash.of(&at(1, "a"))).is_none());
        assert_eq!(crash.told()[0].status, Status::TooSlow);
    }
}
