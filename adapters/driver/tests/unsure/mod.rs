//! Unsure: what histories by chance are made of: numbers, a clock that does not wait, and a store that loses questions and answers.

use std::ops::Range;
use std::sync::Mutex;

use etalon_core::error::{Error, ErrorKind};
use etalon_core::plan::Object;
use etalon_driver::memory::{ManualClock, Memory};
use etalon_driver::ports::{Clock, Objects, Put};

/// Numbers by chance, the same for the same seed.
pub(crate) struct Chance(pub(crate) u64);

impl Chance {
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}

/// A clock that does not wait.
pub(crate) struct Quick<'a>(pub(crate) &'a ManualClock);

impl Clock for Quick<'_> {
    fn now(&self) -> i64 {
        self.0.now()
    }

    fn wait(&self, microseconds: i64) {
        self.0.advance(microseconds);
    }
}

/// A store that loses one in so many questions, or answers.
pub(crate) struct Lossy<'a> {
    pub(crate) store: &'a Memory,
    pub(crate) chance: Mutex<Chance>,
    pub(crate) one_in: u64,
}

impl Lossy<'_> {
    fn lost(&self) -> Result<(), Error> {
        match self.chance.lock().unwrap().below(self.one_in) {
            0 => Err(Error::new(ErrorKind::Unavailable, "lost")),
            _ => Ok(()),
        }
    }
}

impl Objects for Lossy<'_> {
    async fn head(&self, name: &str) -> Result<Object, Error> {
        self.store.head(name).await
    }

    async fn read(&self, object: &Object, range: Range<u64>) -> Result<Vec<u8>, Error> {
        self.store.read(object, range).await
    }

    async fn fetch(&self, name: &str) -> Result<(Vec<u8>, String), Error> {
        self.lost()?;
        self.store.fetch(name).await
    }

    async fn put(&self, name: &str, bytes: &[u8], condition: Put<'_>) -> Result<String, Error> {
        self.lost()?;
        let version = self.store.put(name, bytes, condition).await?;
        self.lost()?;
        Ok(version)
    }

    async fn list(&self, prefix: &str, after: Option<&str>, most: usize) -> Result<Vec<String>, Error> {
        self.store.list(prefix, after, most).await
    }

    async fn delete(&self, name: &str) -> Result<(), Error> {
        self.store.delete(name).await
    }

    async fn delete_version(&self, name: &str, version: &str) -> Result<(), Error> {
        self.store.delete_version(name, version).await
    }

    async fn objects(&self, prefix: &str, after: Option<&str>, most: usize) -> Result<Vec<Object>, Error> {
        self.store.objects(prefix, after, most).await
    }
}
