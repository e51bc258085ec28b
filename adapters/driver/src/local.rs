//! Local disk: objects as files below a folder, and the system's clock.

use std::collections::hash_map::RandomState;
use std::fs::{self, File};
use std::hash::BuildHasher;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use etalon_core::error::{Error, ErrorKind};
use etalon_core::plan::Object;
use xxhash_rust::xxh3::{Xxh3, xxh3_128};

use crate::ports::{Clock, Objects, Progress, Put, Quiet, Stage};

pub(crate) mod alone;
mod found;

use alone::{Alone, WHOLE_FILE, WORK_FILE};

/// What the names of files begin with while they are written.
const WRITING_PREFIX: &str = ".writing-";
/// The file that writers lock.
const LOCK_FILE: &str = ".lock";
/// The file that a run locks.
const RUN_LOCK_FILE: &str = ".run-lock";

/// Files below a folder. A name is a path relative to the folder, with `/` between its parts, or an absolute one.
#[derive(Debug, Clone)]
pub struct LocalDisk {
    folder: PathBuf,
    /// What a run keeps in mind, while no other is there.
    alone: Option<Arc<Alone>>,
}

/// A folder while no other run works with it.
#[derive(Debug)]
pub struct RunLock {
    disk: LocalDisk,
    _file: File,
}

impl RunLock {
    /// The files below the folder. What is put among them is written through to the disk by [`Objects::flush`] and by
    /// [`RunLock::end`], all together.
    pub fn disk(&self) -> &LocalDisk {
        &self.disk
    }

    /// Ends the work. Without it the next run finds what was written through.
    pub fn end(self) -> Result<(), Error> {
        let ended = self.disk.alone.as_ref().map_or(Ok(()), |alone| alone.end());
        ended.map_err(|error| failed(&self.disk.folder, &error))
    }
}

impl LocalDisk {
    /// The files below `folder`.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into(), alone: None }
    }

    /// Where the object of that name is, or would be.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The files that match any of the patterns (paths or globs, relative to `start`), by name, each once.
    pub fn find(&self, start: &Path, patterns: &[String], progress: &impl Progress) -> Result<Vec<Object>, Error> {
        let names = found::find(&self.folder, start, patterns)?;
        (0..)
            .zip(&names)
            .map(|(count, name)| {
                progress.at(Stage::Listing, count);
                self.describe(name)
            })
            .collect()
    }

    /// The name of the file that an object is, where the object is a link to it.
    pub fn file_of(&self, name: &str) -> Result<Option<String>, Error> {
        found::file_of(&self.folder, &self.path(name))
    }

    /// The name of the file at a path, which is there.
    pub fn name_of(&self, path: &Path) -> Result<String, Error> {
        found::name_of(&self.folder, path)
    }

    /// The name of a path: relative to the folder where it lies below it.
    fn name(&self, path: &Path) -> String {
        let relative = path.strip_prefix(&self.folder).unwrap_or(path);
        relative
            .components()
            .map(|part| part.as_os_str().to_string_lossy())
            .collect::<Vec<_>>()
            .join("/")
            .replace("//", "/")
    }

    /// One writer at a time looks at a version and takes its place; the lock ends with the process, also a killed one.
    fn lock(&self) -> Result<File, Error> {
        let path = self.folder.join(LOCK_FILE);
        let lock = || -> io::Result<File> {
            fs::create_dir_all(&self.folder)?;
            let file = File::options().create(true).append(true).open(&path)?;
            file.lock()?;
            Ok(file)
        };
        lock().map_err(|error| failed(&path, &error))
    }

    /// Lets one run at a time work with what is below the folder, until the value is dropped or the process ends. `waits` is
    /// called where another run is there.
    pub fn lock_run(&self, waits: impl FnOnce()) -> Result<RunLock, Error> {
        let path = self.folder.join(RUN_LOCK_FILE);
        let lock = || -> io::Result<File> {
            fs::create_dir_all(&self.folder)?;
            let file = File::options().create(true).append(true).open(&path)?;
            if file.try_lock().is_err() {
                waits();
                file.lock()?;
            }
            Ok(file)
        };
        let lock = || -> io::Result<RunLock> {
            let file = lock()?;
            let alone = Some(Arc::new(Alone::begin(&self.folder)?));
            Ok(RunLock { disk: Self { folder: self.folder.clone(), alone }, _file: file })
        };
        lock().map_err(|error| failed(&path, &error))
    }

    /// Refuses if an object is not of a version, or not there.
    fn must_be(&self, name: &str, version: &str) -> Result<(), Error> {
        match self.describe(name) {
            Ok(object) if object.version == version => Ok(()),
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            _ => {
                Err(Error::new(ErrorKind::Changed, format!("{}: another version is there", self.path(name).display())))
            }
        }
    }

    fn describe(&self, name: &str) -> Result<Object, Error> {
        let path = self.path(name);
        let read = || -> io::Result<Object> {
            let mut file = File::open(&path)?;
            let mut hash = Xxh3::new();
            let mut size = 0;
            // One byte more than there is: the end of a small file is seen by its first read.
            let most = usize::try_from(file.metadata()?.len()).unwrap_or(usize::MAX).saturating_add(1);
            let mut buffer = vec![0; most.min(256 * 1024)];
            loop {
                let count = file.read(&mut buffer)?;
                if count == 0 {
                    break;
                }
                hash.update(&buffer[..count]);
                size += count as u64;
            }
            Ok(Object { name: name.to_owned(), version: format!("{:032x}", hash.digest128()), size })
        };
        read().map_err(|error| failed(&path, &error))
    }

    /// The objects of some names; what has gone since is left out.
    fn describe_all(&self, names: &[String], progress: &impl Progress) -> Result<Vec<Object>, Error> {
        (0..)
            .zip(names)
            .map(|(count, name)| {
                progress.at(Stage::Listing, count);
                self.describe(name)
            })
            .filter(|described| !described.as_ref().is_err_and(|error| error.kind() == ErrorKind::NotFound))
            .collect()
    }

    /// All names that begin with a prefix, in order.
    fn list_all(&self, prefix: &str) -> Result<Vec<String>, Error> {
        let mut names = Vec::new();
        // What lies in other folders cannot begin with the prefix.
        let below = prefix.rsplit_once('/').map_or("", |(folders, _)| folders);
        let mut folders = vec![self.folder.join(if below.is_empty() && prefix.starts_with('/') { "/" } else { below })];
        while let Some(folder) = folders.pop() {
            let entries = match fs::read_dir(&folder) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                entries => entries.map_err(|error| failed(&folder, &error))?,
            };
            for entry in entries {
                let entry = entry.map_err(|error| failed(&folder, &error))?;
                let path = entry.path();
                let name = self.name(&path);
                // Only of a link one must ask where it leads.
                let is_folder = match entry.file_type() {
                    Ok(kind) if !kind.is_symlink() => kind.is_dir(),
                    _ => path.is_dir(),
                };
                if is_folder {
                    let is_on_the_way =
                        format!("{name}/").starts_with(prefix) || prefix.starts_with(&format!("{name}/"));
                    if is_on_the_way {
                        folders.push(path);
                    }
                    continue;
                }
                let is_own = path.file_name().is_some_and(|file| {
                    let file = file.to_string_lossy();
                    file.starts_with(WRITING_PREFIX)
                        || [LOCK_FILE, RUN_LOCK_FILE, WHOLE_FILE, WORK_FILE].contains(&file.as_ref())
                });
                if name.starts_with(prefix) && !is_own {
                    names.push(name);
                }
            }
        }
        names.sort();
        Ok(names)
    }
}

/// An error of the file system, with the path.
fn failed(path: &Path, error: &io::Error) -> Error {
    let kind = match error.kind() {
        io::ErrorKind::NotFound => ErrorKind::NotFound,
        io::ErrorKind::AlreadyExists => ErrorKind::AlreadyExists,
        io::ErrorKind::Interrupted | io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => ErrorKind::Unavailable,
        _ => ErrorKind::Refused,
    };
    Error::new(kind, format!("{}: {error}", path.display()))
}

impl Objects for LocalDisk {
    async fn head(&self, name: &str) -> Result<Object, Error> {
        self.describe(name)
    }

    async fn read(&self, object: &Object, range: Range<u64>) -> Result<Vec<u8>, Error> {
        let path = self.path(&object.name);
        let read = || -> io::Result<(u64, Vec<u8>)> {
            let mut file = File::open(&path)?;
            let size = file.metadata()?.len();
            file.seek(SeekFrom::Start(range.start))?;
            let length = (range.end - range.start).min(size.saturating_sub(range.start));
            let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or_default());
            file.take(length).read_to_end(&mut bytes)?;
            Ok((size, bytes))
        };
        let (size, bytes) = read().map_err(|error| failed(&path, &error))?;
        if size != object.size {
            let message =
                format!("{}: the file changed while it was read: {} bytes, then {size}", path.display(), object.size);
            return Err(Error::new(ErrorKind::Changed, message));
        }
        Ok(bytes)
    }

    async fn fetch(&self, name: &str) -> Result<(Vec<u8>, String), Error> {
        let path = self.path(name);
        let bytes = fs::read(&path).map_err(|error| failed(&path, &error))?;
        let version = format!("{:032x}", xxh3_128(&bytes));
        Ok((bytes, version))
    }

    /// The bytes go to a file of another name first, which then takes the name: nobody sees half an object.
    async fn put(&self, name: &str, bytes: &[u8], condition: Put<'_>) -> Result<String, Error> {
        let path = self.path(name);
        let folder = path.parent().unwrap_or(&self.folder);
        if condition == Put::IfAbsent && path.exists() {
            return Err(Error::new(ErrorKind::AlreadyExists, format!("{}: it is there", path.display())));
        }
        let write = || -> io::Result<(tempfile::NamedTempFile, Option<&Alone>)> {
            fs::create_dir_all(folder)?;
            let mut file = tempfile::Builder::new().prefix(WRITING_PREFIX).tempfile_in(folder)?;
            file.write_all(bytes)?;
            match self.alone.as_deref() {
                Some(alone) if alone.lets_wait(name, &path, file.as_file())? => return Ok((file, Some(alone))),
                Some(alone) => alone.before_change(name)?,
                None => {}
            }
            file.as_file().sync_all()?;
            Ok((file, None))
        };
        let (file, lets_wait) = write().map_err(|error| failed(&path, &error))?;
        // That nothing is there is seen by the system; a version is seen by us.
        let _lock = if condition == Put::IfAbsent { None } else { Some(self.lock()?) };
        if let Put::IfVersion(version) = condition {
            self.must_be(name, version)?;
        }
        let persist = || match condition {
            Put::IfAbsent => file.persist_noclobber(&path).map(drop),
            Put::Always | Put::IfVersion(_) => file.persist(&path).map(drop),
        };
        let persisted = match lets_wait {
            Some(alone) => alone.name(name, persist),
            None => persist(),
        };
        persisted.map_err(|error| failed(&path, &error.error))?;
        if let Some(alone) = &self.alone {
            alone.put(name);
        }
        Ok(format!("{:032x}", xxh3_128(bytes)))
    }

    async fn list(&self, prefix: &str, after: Option<&str>, most: usize) -> Result<Vec<String>, Error> {
        if let Some(alone) = self.alone.as_ref().filter(|_| prefix.contains('/')) {
            return alone.list((prefix, after, most), |folder| self.list_all(folder));
        }
        let names = self.list_all(prefix)?.into_iter();
        Ok(names.filter(|name| after.is_none_or(|after| name.as_str() > after)).take(most).collect())
    }

    async fn delete(&self, name: &str) -> Result<(), Error> {
        let path = self.path(name);
        if let Some(alone) = &self.alone {
            alone.before_change(name).map_err(|error| failed(&path, &error))?;
        }
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(&path, &error)),
            _ => {}
        }
        if let Some(alone) = &self.alone {
            alone.removed(name);
        }
        Ok(())
    }

    async fn delete_version(&self, name: &str, version: &str) -> Result<(), Error> {
        let _lock = self.lock()?;
        self.must_be(name, version)?;
        self.delete(name).await
    }

    async fn objects(&self, prefix: &str, after: Option<&str>, most: usize) -> Result<Vec<Object>, Error> {
        self.describe_all(&self.list(prefix, after, most).await?, &Quiet)
    }

    async fn flush(&self) -> Result<(), Error> {
        let flushed = self.alone.as_ref().map_or(Ok(()), |alone| alone.write_through());
        flushed.map_err(|error| failed(&self.folder, &error))
    }
}

/// The system's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> i64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
    }
}

/// Bits that nobody can foresee.
pub fn chance() -> u128 {
    // Each is seeded by the system, and none is told to anybody.
    let bits = || u128::from(RandomState::new().hash_one(std::process::id()));
    bits() << 64 | bits()
}
