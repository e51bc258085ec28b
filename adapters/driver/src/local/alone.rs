//! Alone: what a run remembers while no other run works below its folder: which names exist, and which objects are not synced
//! to the disk yet. So the cost of a run depends only on what is new.
//!
//! Syncing an object takes milliseconds, and each object of the source is half a dozen objects in the store. So *new* objects
//! wait, and are synced together: before a load, before an existing object is overwritten or removed, and every few seconds. An
//! object that waits has a special modification time; it gets its real time when it is on the disk. A run that begins after
//! another one was interrupted removes the objects that still have the special time, since the machine may have stopped and
//! left names without their bytes. So the folder then has exactly what was synced last.
//!
//! Either all waiting objects get their time, or none: while the times are set, a file says that everything is on the disk, and
//! a run that finds this file sets the remaining times. Otherwise a mark could stay whose plan is gone.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io;
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use etalon_core::protocol::prefix::PREFIXES;

use super::WRITING_PREFIX;

/// The file that is there while a run works.
pub(super) const WORK_FILE: &str = ".at-work";
/// The file that is there while what waits gets its time: everything is written through.
pub(super) const WHOLE_FILE: &str = ".written-through";
/// The modification time of what is not written through yet: one that no clock has and no archive gives.
const WAITS: Duration = Duration::from_secs(86_399);
/// So long at most what was put waits while more is put.
const WAITS_MAX: Duration = Duration::from_secs(5);

/// What a run keeps in mind.
#[derive(Debug)]
pub(super) struct Alone {
    folder: PathBuf,
    /// The names below a folder, of folders that were listed.
    there: Mutex<BTreeMap<String, BTreeSet<String>>>,
    /// What was put and is not written through yet.
    waiting: Mutex<Waiting>,
    /// Whether anything may wait: the system writes a whole disk through, and the disk keeps the time that tells what waits.
    may_wait: bool,
}

#[derive(Debug)]
struct Waiting {
    names: BTreeSet<String>,
    since: Instant,
}

impl Alone {
    /// Begins to work below a folder, after what a run that did not end has left there is put right.
    pub(super) fn begin(folder: &Path) -> io::Result<Self> {
        let mark = folder.join(WORK_FILE);
        if folder.join(WHOLE_FILE).exists() {
            end_settling(folder)?;
        }
        if mark.exists() {
            remove_unwritten(folder)?;
        }
        let file = File::create(&mark)?;
        file.set_modified(waits())?;
        let may_wait = waits_still(&mark)? && written_through(folder).is_ok();
        let waiting = Mutex::new(Waiting { names: BTreeSet::new(), since: Instant::now() });
        Ok(Self { folder: folder.to_owned(), there: Mutex::default(), waiting, may_wait })
    }

    /// Ends the work: everything is written through.
    pub(super) fn end(&self) -> io::Result<()> {
        self.write_through()?;
        match fs::remove_file(self.folder.join(WORK_FILE)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Sees that what was put stays, also if the machine stops.
    pub(super) fn write_through(&self) -> io::Result<()> {
        if self.may_wait { self.settle(&mut locked(&self.waiting)) } else { Ok(()) }
    }

    fn settle(&self, waiting: &mut Waiting) -> io::Result<()> {
        written_through(&self.folder)?;
        // Nothing follows from an object before the disk knows that it is whole.
        if !waiting.names.is_empty() {
            File::create(self.folder.join(WHOLE_FILE))?;
            written_through(&self.folder)?;
            for name in &waiting.names {
                is_written(&self.folder.join(name))?;
            }
            said_no_more(&self.folder)?;
        }
        *waiting = Waiting { names: BTreeSet::new(), since: Instant::now() };
        Ok(())
    }

    /// Sees that what was put stays, before something that was there before changes: the disk must never have the change and not
    /// what led to it.
    pub(super) fn before_change(&self, name: &str) -> io::Result<()> {
        let mut waiting = locked(&self.waiting);
        if waiting.names.is_empty() || waiting.names.contains(name) { Ok(()) } else { self.settle(&mut waiting) }
    }

    /// Whether an object that is put now, with these bytes, may be written through later: it is new, and on the disk of the
    /// others. It then bears the time of what waits.
    pub(super) fn lets_wait(&self, name: &str, path: &Path, bytes: &File) -> io::Result<bool> {
        let mut waiting = locked(&self.waiting);
        let is_new = || waiting.names.contains(name) || !path.exists();
        if !self.may_wait || !is_new() || !is_on_disk_of(&self.folder, bytes)? {
            return Ok(false);
        }
        if waiting.names.is_empty() {
            waiting.since = Instant::now();
        } else if waiting.since.elapsed() > WAITS_MAX {
            self.settle(&mut waiting)?;
        }
        bytes.set_modified(waits())?;
        Ok(true)
    }

    /// Gives an object that waits its name.
    pub(super) fn name<E>(&self, name: &str, persist: impl FnOnce() -> Result<(), E>) -> Result<(), E> {
        let mut waiting = locked(&self.waiting);
        persist()?;
        waiting.names.insert(name.to_owned());
        Ok(())
    }

    /// The names that begin with a prefix, which names a folder, and come after a name, at most so many. `read` gives all names
    /// below a folder where they are not known.
    pub(super) fn list<E>(
        &self,
        (prefix, after, most): (&str, Option<&str>, usize),
        read: impl FnOnce(&str) -> Result<Vec<String>, E>,
    ) -> Result<Vec<String>, E> {
        let mut there = locked(&self.there);
        let folder = folder(prefix);
        if !there.contains_key(folder) {
            there.insert(folder.to_owned(), read(folder)?.into_iter().collect());
        }
        let first = after.filter(|after| *after > prefix).unwrap_or(prefix);
        let names = there
            .get(folder)
            .into_iter()
            .flat_map(|names| names.range::<str, _>((Bound::Included(first), Bound::Unbounded)));
        let names = names.skip_while(|name| after.is_some_and(|after| name.as_str() <= after));
        Ok(names.take_while(|name| name.starts_with(prefix)).take(most).cloned().collect())
    }

    /// An object was put.
    pub(super) fn put(&self, name: &str) {
        if let Some(names) = locked(&self.there).get_mut(folder(name)) {
            names.insert(name.to_owned());
        }
    }

    /// An object was removed.
    pub(super) fn removed(&self, name: &str) {
        if let Some(names) = locked(&self.there).get_mut(folder(name)) {
            names.remove(name);
        }
        locked(&self.waiting).names.remove(name);
    }
}

fn locked<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The first folder of a name, with its slash.
fn folder(name: &str) -> &str {
    name.split_inclusive('/').next().unwrap_or_default()
}

fn waits() -> SystemTime {
    SystemTime::UNIX_EPOCH + WAITS
}

/// Whether a file bears the time of what is not written through.
pub(crate) fn waits_still(path: &Path) -> io::Result<bool> {
    Ok(fs::symlink_metadata(path)?.modified()? == waits())
}

/// Writes through everything that was written to the disk of a folder.
#[cfg(target_os = "linux")]
fn written_through(folder: &Path) -> io::Result<()> {
    Ok(rustix::fs::syncfs(File::open(folder)?)?)
}

#[cfg(not(target_os = "linux"))]
fn written_through(_folder: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(unix)]
fn is_on_disk_of(folder: &Path, file: &File) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt;
    Ok(fs::metadata(folder)?.dev() == file.metadata()?.dev())
}

#[cfg(not(unix))]
fn is_on_disk_of(_folder: &Path, _file: &File) -> io::Result<bool> {
    Ok(false)
}

/// The files of a store that are not written through, with what was never given its name.
pub(crate) fn unwritten(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut unwritten = Vec::new();
    let mut folders: Vec<PathBuf> = PREFIXES.iter().map(|prefix| folder.join(prefix.text)).collect();
    while let Some(below) = folders.pop() {
        let entries = match fs::read_dir(&below) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            entries => entries?,
        };
        for entry in entries {
            let entry = entry?;
            let path = entry.path();
            if entry.file_type()?.is_dir() {
                folders.push(path);
            } else if is_being_written(&path) || waits_still(&path)? {
                unwritten.push(path);
            }
        }
    }
    Ok(unwritten)
}

fn remove_unwritten(folder: &Path) -> io::Result<()> {
    unwritten(folder)?.iter().try_for_each(fs::remove_file)
}

/// Goes on where a run was ended that knew that everything which waits is on the disk. What never got its name is not among it.
fn end_settling(folder: &Path) -> io::Result<()> {
    for path in unwritten(folder)? {
        if waits_still(&path)? && !is_being_written(&path) {
            is_written(&path)?;
        }
    }
    said_no_more(folder)
}

/// Gives a file that is on the disk its time.
fn is_written(path: &Path) -> io::Result<()> {
    match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        file => file?.set_modified(SystemTime::now()),
    }
}

/// The times are on the disk, and then nothing says any more that all is: what is put next is not.
fn said_no_more(folder: &Path) -> io::Result<()> {
    written_through(folder)?;
    fs::remove_file(folder.join(WHOLE_FILE))?;
    File::open(folder)?.sync_all()
}

fn is_being_written(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(WRITING_PREFIX))
}

#[cfg(test)]
mod tests {
    use pollster::block_on;

    use super::*;
    use crate::local::LocalDisk;
    use crate::ports::{Objects, Put};

    fn put(disk: &LocalDisk, name: &str) {
        block_on(disk.put(name, b"x", Put::Always)).unwrap();
    }

    #[test]
    fn names_are_those_that_are_there_whoever_lists_them() {
        let folder = tempfile::tempdir().unwrap();
        let plain = LocalDisk::new(folder.path());
        put(&plain, "plans/b");
        let run = plain.lock_run(|| ()).unwrap();
        let same = |prefix: &str, after: Option<&str>, most: usize| {
            let [known, read] = [run.disk(), &plain].map(|disk| block_on(disk.list(prefix, after, most)).unwrap());
            assert_eq!(known, read, "{prefix} {after:?} {most}");
            known.len()
        };
        assert_eq!(same("plans/", None, 9), 1);
        for name in ["plans/a", "plans/c", "plans/c-1", "units/t/a", "plans/d/e"] {
            put(run.disk(), name);
        }
        block_on(run.disk().delete("plans/b")).unwrap();
        assert_eq!(same("plans/", None, 9), 4);
        assert_eq!((same("plans/c", None, 9), same("plans/", Some("plans/c"), 9), same("plans/", None, 2)), (2, 2, 2));
        assert_eq!((same("plans/", Some("a"), 9), same("plans/x", None, 9), same("pl", None, 9)), (4, 0, 4));
        assert_eq!((same("units/t/", None, 9), same("nothing/", None, 9), same("", None, 99)), (1, 0, 5));
    }

    #[cfg(target_os = "linux")]
    mod waiting {
        use super::*;

        /// A folder, what is there after a run that has not ended, and what was not written through by it.
        fn after(work: impl FnOnce(&LocalDisk)) -> (Vec<String>, usize) {
            let folder = tempfile::tempdir().unwrap();
            let disk = LocalDisk::new(folder.path());
            put(&disk, "plans/old");
            let run = disk.lock_run(|| ()).unwrap();
            work(run.disk());
            drop(run);
            let waiting = unwritten(folder.path()).unwrap().len();
            let run = disk.lock_run(|| ()).unwrap();
            let there = block_on(run.disk().list("", None, 9)).unwrap();
            run.end().unwrap();
            assert!(!folder.path().join(WORK_FILE).exists());
            (there, waiting)
        }

        #[test]
        fn what_was_not_written_through_is_not_there_after_a_run_that_did_not_end() {
            let (there, waiting) = after(|disk| {
                put(disk, "plans/a");
                put(disk, "plans/a");
                put(disk, "met/a");
            });
            assert_eq!((there, waiting), (vec!["plans/old".to_owned()], 2));
        }

        #[test]
        fn what_was_written_through_stays() {
            let (there, waiting) = after(|disk| {
                put(disk, "plans/a");
                block_on(disk.flush()).unwrap();
                put(disk, "plans/b");
            });
            assert_eq!((there, waiting), (vec!["plans/a".to_owned(), "plans/old".to_owned()], 1));
        }

        #[test]
        fn who_is_ended_while_times_are_set_leaves_all_or_nothing() {
            let folder = tempfile::tempdir().unwrap();
            let disk = LocalDisk::new(folder.path());
            let run = disk.lock_run(|| ()).unwrap();
            for name in ["met/a", "plans/a", "units/t/a"] {
                put(run.disk(), name);
            }
            drop(run);
            // It has said that everything is on the disk, and has set one time of three.
            File::create(folder.path().join(WHOLE_FILE)).unwrap();
            is_written(&folder.path().join("met/a")).unwrap();
            let never_named = folder.path().join(format!("plans/{WRITING_PREFIX}x"));
            File::create(&never_named).unwrap().set_modified(waits()).unwrap();
            let run = disk.lock_run(|| ()).unwrap();
            assert_eq!(block_on(run.disk().list("", None, 9)).unwrap(), ["met/a", "plans/a", "units/t/a"]);
            assert!(unwritten(folder.path()).unwrap().is_empty() && !never_named.exists());
            assert!(!folder.path().join(WHOLE_FILE).exists());
            run.end().unwrap();
        }

        #[test]
        fn what_led_to_a_change_is_written_through_before_it() {
            for change in [
                |disk: &LocalDisk| put(disk, "plans/old"),
                |disk: &LocalDisk| block_on(disk.delete("plans/old")).unwrap(),
                |disk: &LocalDisk| {
                    let version = block_on(disk.head("plans/old")).unwrap().version;
                    block_on(disk.put("plans/old", b"y", Put::IfVersion(&version))).unwrap();
                },
            ] {
                let (there, waiting) = after(|disk| {
                    put(disk, "plans/a");
                    change(disk);
                });
                assert_eq!((there.first().map(String::as_str), waiting), (Some("plans/a"), 0));
            }
        }

        #[test]
        fn what_is_written_through_and_put_again_does_not_wait() {
            let (there, waiting) = after(|disk| {
                put(disk, "plans/a");
                block_on(disk.flush()).unwrap();
                put(disk, "plans/a");
                block_on(disk.delete("plans/none")).unwrap();
            });
            assert_eq!((there.len(), waiting), (2, 0));
        }
    }
}
