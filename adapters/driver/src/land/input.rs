//! Input: what a pipeline reads: objects that lie somewhere, or windows of a source that is no store, which have landed.

use std::ops::Range;

use etalon_core::error::Error;
use etalon_core::pipeline::Pipeline;
use etalon_core::plan::Object;

use super::Landed;
use crate::ports::{Look, Objects, Put};

/// Where objects lie.
#[derive(Debug)]
pub enum Input<S> {
    /// In a store of their own, by their names there.
    Stored(S),
    /// Windows that have landed in the store of what is kept.
    Landed(Landed<S>),
}

impl<S: Objects> Input<S> {
    /// The input of a pipeline. `kept` is the store of what is kept; `stored` gives that of its objects, where they lie in one.
    pub fn of<E>(pipeline: &Pipeline, kept: S, stored: impl FnOnce() -> Result<S, E>) -> Result<Self, E> {
        match pipeline.location().lands() {
            true => Ok(Self::Landed(Landed::of(kept, pipeline))),
            false => stored().map(Self::Stored),
        }
    }
}

impl<S: Objects> Objects for Input<S> {
    async fn look(&self, name: &str) -> Result<Look, Error> {
        match self {
            Self::Stored(store) => store.look(name).await,
            Self::Landed(landed) => landed.look(name).await,
        }
    }

    async fn head(&self, name: &str) -> Result<Object, Error> {
        match self {
            Self::Stored(store) => store.head(name).await,
            Self::Landed(landed) => landed.head(name).await,
        }
    }

    async fn read(&self, object: &Object, range: Range<u64>) -> Result<Vec<u8>, Error> {
        match self {
            Self::Stored(store) => store.read(object, range).await,
            Self::Landed(landed) => landed.read(object, range).await,
        }
    }

    async fn fetch(&self, name: &str) -> Result<(Vec<u8>, String), Error> {
        match self {
            Self::Stored(store) => store.fetch(name).await,
            Self::Landed(landed) => landed.fetch(name).await,
        }
    }

    async fn put(&self, name: &str, bytes: &[u8], condition: Put<'_>) -> Result<String, Error> {
        match self {
            Self::Stored(store) => store.put(name, bytes, condition).await,
            Self::Landed(landed) => landed.put(name, bytes, condition).await,
        }
    }

    async fn list(&self, prefix: &str, after: Option<&str>, most: usize) -> Result<Vec<String>, Error> {
        match self {
            Self::Stored(store) => store.list(prefix, after, most).await,
            Self::Landed(landed) => landed.list(prefix, after, most).await,
        }
    }

    async fn delete(&self, name: &str) -> Result<(), Error> {
        match self {
            Self::Stored(store) => store.delete(name).await,
            Self::Landed(landed) => landed.delete(name).await,
        }
    }

    async fn delete_version(&self, name: &str, version: &str) -> Result<(), Error> {
        match self {
            Self::Stored(store) => store.delete_version(name, version).await,
            Self::Landed(landed) => landed.delete_version(name, version).await,
        }
    }

    async fn objects(&self, prefix: &str, after: Option<&str>, most: usize) -> Result<Vec<Object>, Error> {
        match self {
            Self::Stored(store) => store.objects(prefix, after, most).await,
            Self::Landed(landed) => landed.objects(prefix, after, most).await,
        }
    }
}
