// This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
// of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

//! Finds symbol files in folders of the Breakpad layout, `<debug file>/<debug id>/<name>.sym`,
//! plain or compressed (`.sym.gz`, `.sym.zst`), and parses them. Where a module has no debug id, it is
//! `<code file>/<code id>/<name>.sym`.

use std::ffi::{CString, OsStr};
use std::fs::{self, File, Metadata};
use std::io::{self, BufReader, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use breakpad_symbols::{breakpad_sym_lookup, code_info_breakpad_sym_lookup};
use minidump::Module;
use minidump_unwind::{SymbolError, SymbolFile};

use crate::compression::{SUFFIXES, unpacked};

/// Bytes read from a symbol file at a time; memory is looked after between two reads.
const READ_SIZE: usize = 256 * 1024;

/// Bytes of an unpacked symbol file; the largest known ones come to some 2 GiB.
const MAX_SIZE: u64 = 8 << 30;

/// A file's last use is written down when it is this much later than the one before.
const USE_GRAIN: i64 = 600;

/// The longest file name that file systems take.
const MAX_NAME: usize = 255;

/// What tells one content of a file from the next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
}

impl Identity {
    fn of(metadata: &Metadata) -> Self {
        Identity {
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
        }
    }
}

/// A symbol file on disk.
#[derive(Debug)]
pub struct Located {
    pub path: PathBuf,
    pub identity: Identity,
    /// Whether it lies in a folder of the cache.
    pub cached: bool,
}

/// The folders in which symbols are looked for, in their order.
pub struct SymbolStore {
    folders: Vec<PathBuf>,
    /// Looked into after the folders; from these, files are removed by their last use.
    caches: Vec<PathBuf>,
}

impl SymbolStore {
    pub fn new(folders: Vec<PathBuf>, caches: Vec<PathBuf>) -> Self {
        SymbolStore { folders, caches }
    }

    pub fn is_empty(&self) -> bool {
        self.folders.is_empty() && self.caches.is_empty()
    }

    /// The symbol file at a relative path, from the first folder that has one.
    pub fn locate(&self, relative: &str) -> Option<Located> {
        let find = |folders: &[PathBuf], cached| {
            let names = folders.iter().flat_map(|folder| {
                SUFFIXES.iter().map(move |suffix| folder.join(format!("{relative}{suffix}")))
            });
            names.into_iter().find_map(|path| located(path, cached))
        };
        find(&self.folders, false).or_else(|| find(&self.caches, true))
    }

    /// A file that the parent says it put into the cache.
    pub fn given(&self, path: PathBuf) -> Option<Located> {
        located(path, true)
    }
}

fn located(path: PathBuf, cached: bool) -> Option<Located> {
    let metadata = fs::metadata(&path).ok()?;
    // A named pipe would block whoever opens it.
    if !metadata.is_file() {
        return None;
    }
    if cached {
        note_use(&path, &metadata);
    }
    Some(Located { identity: Identity::of(&metadata), path, cached })
}

/// Writes down that a file is used: file systems do it hours late, or never. Its other times stay,
/// as they tell one content from the next.
fn note_use(path: &Path, metadata: &Metadata) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs() as i64);
    if now - metadata.atime() < USE_GRAIN {
        return;
    }
    let Ok(name) = CString::new(path.as_os_str().as_bytes()) else { return };
    let times = [
        libc::timespec { tv_sec: 0, tv_nsec: libc::UTIME_NOW },
        libc::timespec { tv_sec: 0, tv_nsec: libc::UTIME_OMIT },
    ];
    // SAFETY: the name and the times live for the length of the call. Where it fails, as for another
    // user's file, the file merely looks older than it is.
    unsafe { libc::utimensat(libc::AT_FDCWD, name.as_ptr(), times.as_ptr(), 0) };
}

/// Where a module's symbols lie below a folder; none if it has no id, or if its names, which come
/// from the minidump, would lead out of the folder.
pub fn relative_path(module: &(dyn Module + Sync)) -> Option<String> {
    let by_debug_id = module.debug_identifier().is_some_and(|id| !id.is_nil());
    let relative = if by_debug_id && module.debug_file().is_some() {
        breakpad_sym_lookup(module)?.cache_rel
    } else {
        code_info_breakpad_sym_lookup(module)?
    };
    let parts: Vec<&str> = relative.split('/').collect();
    (parts.len() == 3 && parts.iter().all(|part| is_file_name(part))).then_some(relative)
}

fn is_file_name(part: &str) -> bool {
    !matches!(part, "" | "." | "..")
        && part.len() <= MAX_NAME
        && !part.contains(|c: char| c == '\\' || c.is_control())
}

/// Parses a symbol file. The gate is asked before each read of a piece; its error ends the parse.
pub fn parse(path: &Path, gate: impl FnMut() -> io::Result<()>) -> Result<SymbolFile, SymbolError> {
    let source = unpacked(File::open(path)?, path.extension().and_then(OsStr::to_str))?;
    let gated = Gated { source, gate, left: MAX_SIZE };
    SymbolFile::parse(BufReader::with_capacity(READ_SIZE, gated), |_| ())
}

struct Gated<F> {
    source: Box<dyn Read>,
    gate: F,
    /// Bytes that may still come.
    left: u64,
}

impl<F: FnMut() -> io::Result<()>> Read for Gated<F> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        (self.gate)()?;
        let count = self.source.read(buffer)?;
        self.left = self.left.checked_sub(count as u64).ok_or(io::ErrorKind::FileTooLarge)?;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::str::FromStr;
    use std::time::Duration;

    use breakpad_symbols::SimpleModule;
    use debugid::{CodeId, DebugId};
    use flate2::{Compression, write::GzEncoder};
    use ruzstd::encoding::{CompressionLevel, compress_to_vec};

    use super::*;
    use crate::testing::{DEBUG_ID, TestFolder, module, symbol_path, symbols};

    fn store(folders: &[&TestFolder]) -> SymbolStore {
        let folders = folders.iter().map(|folder| folder.path().to_owned()).collect();
        SymbolStore::new(folders, Vec::new())
    }

    fn locate(store: &SymbolStore, name: &str) -> Option<Located> {
        store.locate(&relative_path(&module(name))?)
    }

    fn gzipped(content: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(content).unwrap();
        encoder.finish().unwrap()
    }

    fn zstd(content: &[u8]) -> Vec<u8> {
        compress_to_vec(content, CompressionLevel::Fastest)
    }

    #[test]
    fn hostile_names_never_lead_out_of_the_folder() {
        let long = "x".repeat(300);
        let names = [
            "..",
            ".",
            "/",
            "",
            "../..",
            "..\\..",
            "a/..",
            "\\..\\",
            "/etc/passwd",
            "../../passwd",
            "a\0b",
            "a\nb",
            "C:\\windows\\..",
            "../",
            "..pdb",
            ".pdb",
            &long,
        ];
        for name in names {
            for part in relative_path(&module(name)).iter().flat_map(|path| path.split('/')) {
                assert!(is_file_name(part), "{name:?} gave {part:?}");
            }
        }
    }

    #[test]
    fn a_file_beside_the_folder_is_not_found_through_dots() {
        let outside = TestFolder::new();
        // Where a module called ".." would be looked for by a store that trusts it.
        outside.write(&format!("{DEBUG_ID}/...sym"), symbols(1).as_bytes());
        let inside = outside.path().join("symbols");
        fs::create_dir(&inside).unwrap();
        assert!(inside.join("..").join(DEBUG_ID).join("...sym").exists());
        assert!(locate(&SymbolStore::new(vec![inside], vec![]), "..").is_none());
    }

    #[test]
    fn only_the_last_part_of_a_path_counts() {
        let folder = TestFolder::new();
        let path = folder.write(&symbol_path("passwd"), b"");
        for name in ["../../etc/passwd", "/etc/passwd", "C:\\x\\passwd"] {
            assert_eq!(locate(&store(&[&folder]), name).unwrap().path, path);
        }
    }

    #[test]
    fn the_first_folder_that_has_the_file_wins() {
        let (empty, first, second) = (TestFolder::new(), TestFolder::new(), TestFolder::new());
        let path = first.write(&format!("{}.gz", symbol_path("app")), &gzipped(b"x"));
        second.write(&symbol_path("app"), b"x");
        let found = locate(&store(&[&empty, &first, &second]), "app").unwrap();
        assert_eq!(found.path, path);
        assert!(locate(&store(&[&empty]), "app").is_none());
    }

    #[test]
    fn a_folder_or_a_pipe_in_the_place_of_a_file_is_no_symbol_file() {
        let folder = TestFolder::new();
        fs::create_dir_all(folder.path().join(symbol_path("app"))).unwrap();
        assert!(locate(&store(&[&folder]), "app").is_none());
        let pipe = folder.write(&symbol_path("pipe"), b"");
        fs::remove_file(&pipe).unwrap();
        let made = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
        assert!(made.success() && pipe.exists());
        assert!(locate(&store(&[&folder]), "pipe").is_none());
    }

    #[test]
    fn gzipped_symbols_are_the_same_as_plain_ones() {
        let folder = TestFolder::new();
        let text = symbols(5000);
        let (start, end) = text.as_bytes().split_at(text.len() / 2);
        let plain = parse(&folder.write("a.sym", text.as_bytes()), || Ok(())).unwrap();
        let zipped = folder.write("a.sym.gz", &gzipped(text.as_bytes()));
        assert_eq!(parse(&zipped, || Ok(())).unwrap(), plain);
        // Several gzip members in a row are one file.
        let members = folder.write("b.sym.gz", &[gzipped(start), gzipped(end)].concat());
        assert_eq!(parse(&members, || Ok(())).unwrap(), plain);
    }

    #[test]
    fn symbols_compressed_with_zstd_are_the_same_as_plain_ones() {
        let folder = TestFolder::new();
        let text = symbols(5000);
        let (start, end) = text.as_bytes().split_at(text.len() / 2);
        let plain = parse(&folder.write("a.sym", text.as_bytes()), || Ok(())).unwrap();
        let whole = folder.write("a.sym.zst", &zstd(text.as_bytes()));
        assert_eq!(parse(&whole, || Ok(())).unwrap(), plain);
        let frames = folder.write("b.sym.zst", &[zstd(start), zstd(end)].concat());
        assert_eq!(parse(&frames, || Ok(())).unwrap(), plain);
        let mut broken = zstd(text.as_bytes());
        broken.truncate(broken.len() / 2);
        assert!(parse(&folder.write("c.sym.zst", &broken), || Ok(())).is_err());
        assert!(parse(&folder.write("d.sym.zst", b"not zstd"), || Ok(())).is_err());
    }

    #[test]
    fn a_module_without_debug_id_is_looked_up_by_its_code_id() {
        let mut module = SimpleModule::from_basic_info(
            None,
            None,
            Some("C:\\x\\mingw.dll".into()),
            CodeId::from_str("5b9f1b7e83000").ok(),
        );
        assert_eq!(relative_path(&module).unwrap(), "mingw.dll/5B9F1B7E83000/mingw.sym");
        module.debug_file = Some("mingw.pdb".into());
        module.debug_id = Some(DebugId::nil());
        assert_eq!(relative_path(&module).unwrap(), "mingw.dll/5B9F1B7E83000/mingw.sym");
        module.code_identifier = None;
        assert_eq!(relative_path(&module), None);
    }

    #[test]
    fn the_last_use_of_a_file_in_the_cache_is_written_down_and_nothing_else() {
        let folder = TestFolder::new();
        let path = folder.write(&symbol_path("app"), b"x");
        let old = UNIX_EPOCH + Duration::from_secs(1_000_000_000);
        let times = fs::FileTimes::new().set_accessed(old).set_modified(old);
        File::options().write(true).open(&path).unwrap().set_times(times).unwrap();
        locate(&store(&[&folder]), "app").unwrap();
        assert_eq!(fs::metadata(&path).unwrap().accessed().unwrap(), old);
        let cache = SymbolStore::new(vec![], vec![folder.path().to_owned()]);
        assert!(locate(&cache, "app").unwrap().cached);
        let metadata = fs::metadata(&path).unwrap();
        assert!(metadata.accessed().unwrap() > old);
        assert_eq!(metadata.modified().unwrap(), old);
    }

    #[test]
    fn a_broken_gzip_file_is_an_error() {
        let folder = TestFolder::new();
        let mut content = gzipped(symbols(5000).as_bytes());
        content.truncate(content.len() / 2);
        assert!(parse(&folder.write("a.sym.gz", &content), || Ok(())).is_err());
        assert!(parse(&folder.write("b.sym.gz", b"not gzip"), || Ok(())).is_err());
    }

    #[test]
    fn the_gate_ends_a_parse() {
        let folder = TestFolder::new();
        let path = folder.write("a.sym", symbols(50_000).as_bytes());
        let mut reads = 0;
        let result = parse(&path, || {
            reads += 1;
            if reads > 2 { Err(io::ErrorKind::OutOfMemory.into()) } else { Ok(()) }
        });
        assert!(matches!(result, Err(SymbolError::LoadError(_))));
        assert_eq!(reads, 3);
    }
}
