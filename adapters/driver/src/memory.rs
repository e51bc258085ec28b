//! Memory: objects with the real semantics and nothing behind them, and a clock that is set by hand.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};

use etalon_core::error::{Error, ErrorKind};
use etalon_core::plan::{Object, sha256};

use crate::ports::{Clock, Objects, Put};

/// Objects in memory.
#[derive(Debug, Default)]
pub struct Memory {
    objects: Mutex<BTreeMap<String, Vec<u8>>>,
}

impl Memory {
    fn objects(&self) -> MutexGuard<'_, BTreeMap<String, Vec<u8>>> {
        // A map of whole objects is never left half changed.
        self.objects.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn missing(name: &str) -> Error {
    Error::new(ErrorKind::NotFound, format!("{name}: there is no such object"))
}

impl Objects for Memory {
    async fn head(&self, name: &str) -> Result<Object, Error> {
        let objects = self.objects();
        let bytes = objects.get(name).ok_or_else(|| missing(name))?;
        Ok(Object { name: name.to_owned(), version: sha256(bytes), size: bytes.len() as u64 })
    }

    async fn read(&self, object: &Object, range: Range<u64>) -> Result<Vec<u8>, Error> {
        let now = self.head(&object.name).await?;
        if now != *object {
            return Err(Error::new(ErrorKind::Changed, format!("{}: the object was overwritten", object.name)));
        }
        let objects = self.objects();
        let bytes = objects.get(&object.name).ok_or_else(|| missing(&object.name))?;
        let clip = |at: u64| usize::try_from(at).unwrap_or(usize::MAX).min(bytes.len());
        Ok(bytes[clip(range.start)..clip(range.end)].to_vec())
    }

    async fn get(&self, name: &str) -> Result<Vec<u8>, Error> {
        self.objects().get(name).cloned().ok_or_else(|| missing(name))
    }

    async fn put(&self, name: &str, bytes: &[u8], condition: Put) -> Result<(), Error> {
        let mut objects = self.objects();
        if condition == Put::IfAbsent && objects.contains_key(name) {
            return Err(Error::new(ErrorKind::AlreadyExists, format!("{name}: the object exists")));
        }
        objects.insert(name.to_owned(), bytes.to_vec());
        Ok(())
    }

    async fn list(&self, prefix: &str) -> Result<Vec<String>, Error> {
        Ok(self.objects().keys().filter(|name| name.starts_with(prefix)).cloned().collect())
    }

    async fn delete(&self, name: &str) -> Result<(), Error> {
        self.objects().remove(name);
        Ok(())
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
