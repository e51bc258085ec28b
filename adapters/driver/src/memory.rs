//! Memory: objects and queues in memory with the real semantics, and clocks that are set by hand.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use etalon_core::error::{Error, ErrorKind};
use etalon_core::plan::{Object, sha256};

use crate::ports::{Clock, Objects, Put};

mod queue;

pub use queue::{Kind, MemoryQueue};

/// Objects in memory.
#[derive(Debug, Default)]
pub struct Memory {
    objects: Mutex<BTreeMap<String, Stored>>,
}

#[derive(Debug, Clone)]
struct Stored {
    bytes: Vec<u8>,
    version: String,
}

impl Memory {
    fn objects(&self) -> MutexGuard<'_, BTreeMap<String, Stored>> {
        locked(&self.objects)
    }
}

/// What is behind a lock. It is never left half changed, so that a panic elsewhere does no harm.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn missing(name: &str) -> Error {
    Error::new(ErrorKind::NotFound, format!("{name}: there is no such object"))
}

fn changed(name: &str) -> Error {
    Error::new(ErrorKind::Changed, format!("{name}: another version is there"))
}

impl Objects for Memory {
    async fn head(&self, name: &str) -> Result<Object, Error> {
        let objects = self.objects();
        let Stored { bytes, version } = objects.get(name).ok_or_else(|| missing(name))?;
        Ok(Object { name: name.to_owned(), version: version.clone(), size: bytes.len() as u64 })
    }

    async fn read(&self, object: &Object, range: Range<u64>) -> Result<Vec<u8>, Error> {
        let objects = self.objects();
        let Stored { bytes, version } = objects.get(&object.name).ok_or_else(|| missing(&object.name))?;
        if *version != object.version {
            return Err(Error::new(ErrorKind::Changed, format!("{}: the object was overwritten", object.name)));
        }
        let clip = |at: u64| usize::try_from(at).unwrap_or(usize::MAX).min(bytes.len());
        Ok(bytes.get(clip(range.start)..clip(range.end)).unwrap_or_default().to_vec())
    }

    async fn fetch(&self, name: &str) -> Result<(Vec<u8>, String), Error> {
        let objects = self.objects();
        let Stored { bytes, version } = objects.get(name).ok_or_else(|| missing(name))?;
        Ok((bytes.clone(), version.clone()))
    }

    async fn put(&self, name: &str, bytes: &[u8], condition: Put<'_>) -> Result<String, Error> {
        let mut objects = self.objects();
        let there = objects.get(name);
        match condition {
            Put::IfAbsent if there.is_some() => {
                return Err(Error::new(ErrorKind::AlreadyExists, format!("{name}: the object exists")));
            }
            Put::IfVersion(version) if there.is_none_or(|there| there.version != version) => {
                return Err(changed(name));
            }
            _ => {}
        }
        let version = sha256(bytes);
        objects.insert(name.to_owned(), Stored { bytes: bytes.to_vec(), version: version.clone() });
        Ok(version)
    }

    async fn list(&self, prefix: &str, after: Option<&str>, most: usize) -> Result<Vec<String>, Error> {
        let objects = self.objects();
        let names = objects.range(prefix.to_owned()..).map(|(name, _)| name);
        let names = names.take_while(|name| name.starts_with(prefix));
        Ok(names.filter(|name| after.is_none_or(|after| name.as_str() > after)).take(most).cloned().collect())
    }

    async fn delete(&self, name: &str) -> Result<(), Error> {
        self.objects().remove(name);
        Ok(())
    }

    async fn delete_version(&self, name: &str, version: &str) -> Result<(), Error> {
        let mut objects = self.objects();
        if objects.get(name).is_none_or(|there| there.version != version) {
            return Err(changed(name));
        }
        objects.remove(name);
        Ok(())
    }

    async fn objects(&self, prefix: &str, after: Option<&str>, most: usize) -> Result<Vec<Object>, Error> {
        let mut found = Vec::new();
        for name in self.list(prefix, after, most).await? {
            match self.head(&name).await {
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                object => found.push(object?),
            }
        }
        Ok(found)
    }
}

/// A clock that stands still.
#[derive(Debug, Clone, Copy)]
pub struct FixedClock(pub i64);

impl Clock for FixedClock {
    fn now(&self) -> i64 {
        self.0
    }
}

/// A clock that is moved by hand.
#[derive(Debug, Default)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    /// A clock that shows a time, in microseconds since 1970.
    pub fn new(now: i64) -> Self {
        Self(AtomicI64::new(now))
    }

    /// Moves it on by so many microseconds.
    pub fn advance(&self, microseconds: i64) {
        self.0.fetch_add(microseconds, Ordering::Relaxed);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl<C: Clock> Clock for &C {
    fn now(&self) -> i64 {
        (**self).now()
    }
}
