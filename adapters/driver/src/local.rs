//! Local disk: objects are files below a folder, and the system's clock.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use etalon_core::error::{Error, ErrorKind};
use etalon_core::plan::Object;
use etalon_core::source::{Names, files};
use xxhash_rust::xxh3::{Xxh3, xxh3_128};

use crate::extract;
use crate::ports::{Clock, Objects, Put};

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
    /// The only files that are listed, where not all are.
    only: Option<Names>,
}

/// While it is there, no other run begins.
#[derive(Debug)]
pub struct RunLock {
    _file: File,
}

impl LocalDisk {
    /// The files below `folder`.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into(), only: None }
    }

    /// Where the object of that name is, or would be.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The files that match any of the patterns (paths or globs, relative to the folder), by name, each once.
    pub fn find(&self, patterns: &[String]) -> Result<Vec<Object>, Error> {
        // A file below the folder has one name, also where a pattern begins at the root.
        let patterns: Vec<String> = patterns.iter().map(|pattern| self.name(Path::new(pattern))).collect();
        let names = files::names(&patterns)?;
        let only = Self { only: Some(names.clone()), ..self.clone() };
        let objects = pollster::block_on(extract::objects(&only, &names))?;
        let found: Vec<&str> = objects.iter().map(|object| object.name.as_str()).collect();
        if let Some(lacking) = names.lacking(&found).next() {
            return Err(no_file(&self.path(lacking)));
        }
        Ok(objects)
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
        lock().map(|file| RunLock { _file: file }).map_err(|error| failed(&path, &error))
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
        let mut file = File::open(&path).map_err(|error| failed(&path, &error))?;
        let mut hash = Xxh3::new();
        let mut size = 0;
        let mut buffer = vec![0; 256 * 1024];
        loop {
            let count = file.read(&mut buffer).map_err(|error| failed(&path, &error))?;
            if count == 0 {
                break;
            }
            hash.update(&buffer[..count]);
            size += count as u64;
        }
        Ok(Object { name: name.to_owned(), version: format!("{:032x}", hash.digest128()), size })
    }
}

/// A pattern, which starts from one folder, as it is written from another: one file has one name, however it is spelt. Links
/// to folders are followed; a link to a file is a file of its own. What follows the first glob stays as it is.
pub fn rebase(pattern: &str, from: &Path, onto: &Path) -> Result<String, Error> {
    let real = |folder: &Path| {
        let folder = if folder == Path::new("") { Path::new(".") } else { folder };
        fs::canonicalize(folder).map_err(|error| failed(folder, &error))
    };
    let wild = pattern.find(['*', '?', '[']).unwrap_or(pattern.len());
    let (folders, rest) = match pattern.get(..wild).and_then(|plain| plain.rfind('/')) {
        Some(slash) => pattern.split_at(slash + 1),
        None => ("", pattern),
    };
    let (onto, from) = (real(onto)?, real(from)?);
    let wanted = from.join(folders);
    // A folder that is not there is told where files are looked for.
    let Ok(wanted) = fs::canonicalize(&wanted) else { return Ok(wanted.join(rest).to_string_lossy().into_owned()) };
    let shared = onto.components().zip(wanted.components()).take_while(|(left, right)| left == right).count();
    let up = onto.components().skip(shared).map(|_| "..".into());
    let down = wanted.components().skip(shared).map(|part| part.as_os_str().to_string_lossy().into_owned());
    Ok(up.chain(down).chain([rest.to_owned()]).collect::<Vec<String>>().join("/"))
}

/// Why a path is not one of a file that can be read.
fn no_file(path: &Path) -> Error {
    let shown = path.display();
    match fs::metadata(path) {
        Ok(there) if there.is_dir() => Error::new(
            ErrorKind::Refused,
            format!("{shown}: this is a folder; name a file in it, or a glob such as `*.csv`"),
        ),
        Err(error) if error.kind() != io::ErrorKind::NotFound => failed(path, &error),
        _ => Error::new(ErrorKind::NotFound, format!("{shown}: there is no such file")),
    }
}

/// Whether a folder is one of those that lead to it, by a link.
fn leads_back(folder: &Path) -> bool {
    let real = |path: &Path| fs::canonicalize(path).ok();
    let (Some(there), Some(here)) = (real(folder), folder.parent().and_then(real)) else { return false };
    folder.is_symlink() && here.starts_with(there)
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
        let write = || -> io::Result<tempfile::NamedTempFile> {
            fs::create_dir_all(folder)?;
            let mut file = tempfile::Builder::new().prefix(WRITING_PREFIX).tempfile_in(folder)?;
            file.write_all(bytes)?;
            file.as_file().sync_all()?;
            Ok(file)
        };
        let file = write().map_err(|error| failed(&path, &error))?;
        let _lock = self.lock()?;
        let persisted = match condition {
            Put::Always => file.persist(&path),
            Put::IfAbsent => file.persist_noclobber(&path),
            Put::IfVersion(version) => {
                self.must_be(name, version)?;
                file.persist(&path)
            }
        };
        persisted.map_err(|error| failed(&path, &error.error))?;
        Ok(format!("{:032x}", xxh3_128(bytes)))
    }

    async fn list(&self, prefix: &str, after: Option<&str>, most: usize) -> Result<Vec<String>, Error> {
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
                let path = entry.map_err(|error| failed(&folder, &error))?.path();
                let name = self.name(&path);
                if path.is_dir() {
                    let may_lie_below = self.only.as_ref().is_none_or(|only| only.may_lie_below(&name));
                    let is_on_the_way =
                        format!("{name}/").starts_with(prefix) || prefix.starts_with(&format!("{name}/"));
                    if is_on_the_way && may_lie_below && !leads_back(&path) {
                        folders.push(path);
                    }
                    continue;
                }
                let is_own = path.file_name().is_some_and(|file| {
                    let file = file.to_string_lossy();
                    file.starts_with(WRITING_PREFIX) || file == LOCK_FILE || file == RUN_LOCK_FILE
                });
                let is_asked_for = name.starts_with(prefix) && after.is_none_or(|after| name.as_str() > after);
                if is_asked_for && !is_own && self.only.as_ref().is_none_or(|only| only.include(&name)) {
                    names.push(name);
                }
            }
        }
        names.sort();
        names.truncate(most);
        Ok(names)
    }

    async fn delete(&self, name: &str) -> Result<(), Error> {
        let path = self.path(name);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed(&path, &error)),
            _ => Ok(()),
        }
    }

    async fn delete_version(&self, name: &str, version: &str) -> Result<(), Error> {
        let _lock = self.lock()?;
        self.must_be(name, version)?;
        self.delete(name).await
    }

    async fn objects(&self, prefix: &str, after: Option<&str>, most: usize) -> Result<Vec<Object>, Error> {
        let names = self.list(prefix, after, most).await?;
        names
            .iter()
            .map(|name| self.describe(name))
            .filter(|described| !described.as_ref().is_err_and(|error| error.kind() == ErrorKind::NotFound))
            .collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    fn disk(files: &[&str]) -> (tempfile::TempDir, LocalDisk) {
        let folder = tempfile::tempdir().unwrap();
        for file in files {
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, file).unwrap();
        }
        let disk = LocalDisk::new(folder.path());
        (folder, disk)
    }

    fn found(disk: &LocalDisk, patterns: &[&str]) -> Result<Vec<String>, String> {
        let patterns: Vec<String> = patterns.iter().map(|&pattern| pattern.to_owned()).collect();
        let names = |objects: Vec<Object>| objects.into_iter().map(|object| object.name).collect();
        disk.find(&patterns).map(names).map_err(|error| error.to_string())
    }

    #[test]
    fn files_are_found_as_a_shell_would_find_them() {
        let (folder, disk) = disk(&["a.csv", "in/b.csv", "in/c.json", "in/late/d.csv", ".etalon/e.csv"]);
        assert_eq!(found(&disk, &["*.csv"]).unwrap(), ["a.csv"]);
        assert_eq!(found(&disk, &["./in//b.csv", "in/*"]).unwrap(), ["in/b.csv", "in/c.json"]);
        assert_eq!(found(&disk, &["in/**/*.csv"]).unwrap(), ["in/b.csv", "in/late/d.csv"]);
        let absolute = folder.path().join("in/?.csv").to_string_lossy().into_owned();
        assert_eq!(found(&disk, &[&absolute]).unwrap(), ["in/b.csv"]);
        let beside = LocalDisk::new(folder.path().join("in/late"));
        assert_eq!(found(&beside, &["../*.csv"]).unwrap(), ["../b.csv"]);
        assert_eq!(found(&beside, &[&absolute]).unwrap(), [absolute.replace('?', "b")]);
    }

    #[test]
    fn what_is_no_file_is_told_as_what_it_is() {
        let (folder, disk) = disk(&["in/a.csv"]);
        let shown = folder.path().display();
        assert_eq!(found(&disk, &["b.csv"]).unwrap_err(), format!("{shown}/b.csv: there is no such file"));
        let folder = format!("{shown}/in: this is a folder; name a file in it, or a glob such as `*.csv`");
        assert_eq!(found(&disk, &["in"]).unwrap_err(), folder);
        assert_eq!(found(&disk, &["b*.csv"]).unwrap(), [""; 0]);
    }

    #[test]
    fn one_file_has_one_name_however_it_is_spelt() {
        let folder = tempfile::tempdir().unwrap();
        let de = folder.path().join("de");
        fs::create_dir_all(de.join("in")).unwrap();
        fs::create_dir_all(folder.path().join("at")).unwrap();
        let absolute = de.join("in/a.csv").to_string_lossy().into_owned();
        let spelt = [("in/a.csv", &de), ("./in/../in/a.csv", &de), ("../de/in/a.csv", &de), (absolute.as_str(), &de)];
        for (pattern, from) in spelt {
            assert_eq!(rebase(pattern, from, &de).unwrap(), "in/a.csv", "{pattern}");
        }
        assert_eq!(rebase("de/in/*.csv", folder.path(), &de).unwrap(), "in/*.csv");
        assert_eq!(rebase("a.csv", &de, &de).unwrap(), "a.csv");
        assert_eq!(rebase("at/**/a.csv", folder.path(), &de).unwrap(), "../at/**/a.csv");
    }

    #[cfg(unix)]
    #[test]
    fn a_folder_that_leads_back_is_not_entered_again() {
        let (folder, disk) = disk(&["in/a.csv", "out/b.csv"]);
        std::os::unix::fs::symlink(folder.path(), folder.path().join("in/back")).unwrap();
        std::os::unix::fs::symlink(folder.path().join("out"), folder.path().join("in/out")).unwrap();
        assert_eq!(found(&disk, &["in/**/*.csv"]).unwrap(), ["in/a.csv", "in/out/b.csv"]);
    }

    #[cfg(unix)]
    #[test]
    fn a_folder_is_the_one_that_its_link_leads_to() {
        let folder = tempfile::tempdir().unwrap();
        let de = folder.path().join("de");
        fs::create_dir_all(&de).unwrap();
        std::os::unix::fs::symlink(&de, folder.path().join("germany")).unwrap();
        assert_eq!(rebase("germany/a.csv", folder.path(), &de).unwrap(), "a.csv");
        assert_eq!(rebase("a.csv", &folder.path().join("germany"), &de).unwrap(), "a.csv");
    }
}
