//! Objects: windows that have landed, as objects of a source: each has the bytes of its pieces, one after the other.

use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use etalon_core::error::{Error, ErrorKind};
use etalon_core::pipeline::Pipeline;
use etalon_core::plan::Object;
use etalon_core::protocol::{Cursor, Window, name};

use crate::ports::{Objects, Put};
use crate::store::document;

/// The windows of a pipeline that have landed in a store.
#[derive(Debug)]
pub struct Landed<S> {
    store: S,
    pipeline: String,
    /// The columns that the pipeline reads, in order.
    columns: Vec<String>,
    /// Whether only the last window is an object: it has all rows, and takes the place of those before.
    only_last: bool,
    /// The cursor as it was seen last.
    seen: Mutex<Option<Arc<Cursor>>>,
}

impl<S: Objects> Landed<S> {
    /// The windows of a pipeline that reads these columns. Where whole runs are loaded, `only_last` of them is there.
    pub fn new(store: S, pipeline: impl Into<String>, columns: Vec<String>, only_last: bool) -> Self {
        Self { store, pipeline: pipeline.into(), columns, only_last, seen: Mutex::new(None) }
    }

    /// The windows of a pipeline, as it reads them.
    pub fn of(store: S, pipeline: &Pipeline) -> Self {
        let columns = pipeline.source_names().map(str::to_owned).collect();
        Self::new(store, pipeline.name(), columns, pipeline.whole_runs())
    }

    /// The cursor as it is now.
    async fn cursor(&self) -> Result<Arc<Cursor>, Error> {
        let found = document::<Cursor>(&self.store, &name::cursor(&self.pipeline)).await?;
        let cursor = Arc::new(found.map(|(cursor, _)| cursor).unwrap_or_default());
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&cursor));
        Ok(cursor)
    }

    /// The window of a name. What was seen once stays as it is.
    async fn window(&self, name: &str) -> Result<Window, Error> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(window) = seen.as_ref().and_then(|cursor| cursor.window(name)) {
            return Ok(window.clone());
        }
        let gone = || Error::new(ErrorKind::NotFound, format!("{name}: no window of that name has landed, or is kept"));
        self.cursor().await?.window(name).cloned().ok_or_else(gone)
    }

    fn refused(name: &str) -> Error {
        Error::new(ErrorKind::Refused, format!("{name}: a source is not written"))
    }
}

impl<S: Objects> Objects for Landed<S> {
    async fn head(&self, name: &str) -> Result<Object, Error> {
        Ok(self.window(name).await?.object())
    }

    async fn read(&self, object: &Object, range: Range<u64>) -> Result<Vec<u8>, Error> {
        let window = self.window(&object.name).await?;
        if window.object() != *object {
            return Err(Error::new(
                ErrorKind::Changed,
                format!("{}: another window of that name has landed", object.name),
            ));
        }
        // Values stand in the order of the columns that were asked for: in another order they would be those of others.
        if !window.columns.is_empty() && window.columns != self.columns {
            let message = format!(
                "it was read with the columns {}, and the pipeline reads {} now; `etalon backfill` reads it from the database again, \
                 `etalon state reset` everything",
                window.columns.join(", "),
                self.columns.join(", ")
            );
            return Err(Error::new(ErrorKind::Changed, message));
        }
        let mut bytes = Vec::new();
        let mut start = 0;
        for piece in &window.pieces {
            let end = start + piece.size;
            let within = range.start.max(start)..range.end.min(end);
            if within.start < within.end {
                let object = Object { name: piece.name.clone(), version: piece.version.clone(), size: piece.size };
                let part = self.store.read(&object, within.start - start..within.end - start).await;
                let part = part.map_err(|error| match error.kind() {
                    ErrorKind::NotFound => Error::new(
                        ErrorKind::NotFound,
                        format!(
                            "its rows have landed, and are not in the store any more ({} is gone); `etalon backfill` reads a part of \
                             the source again, `etalon state reset` everything",
                            piece.name
                        ),
                    ),
                    _ => error,
                })?;
                if (part.len() as u64) < within.end - within.start {
                    let message = format!("{}: it is shorter than it was when it landed", piece.name);
                    return Err(Error::new(ErrorKind::Changed, message));
                }
                if bytes.is_empty() {
                    bytes = part;
                } else {
                    bytes.extend(part);
                }
            }
            start = end;
        }
        Ok(bytes)
    }

    async fn fetch(&self, name: &str) -> Result<(Vec<u8>, String), Error> {
        let object = self.head(name).await?;
        Ok((self.read(&object, 0..object.size).await?, object.version))
    }

    async fn put(&self, name: &str, _bytes: &[u8], _condition: Put<'_>) -> Result<String, Error> {
        Err(Self::refused(name))
    }

    async fn list(&self, prefix: &str, after: Option<&str>, most: usize) -> Result<Vec<String>, Error> {
        Ok(self.objects(prefix, after, most).await?.into_iter().map(|object| object.name).collect())
    }

    async fn delete(&self, name: &str) -> Result<(), Error> {
        Err(Self::refused(name))
    }

    async fn delete_version(&self, name: &str, _version: &str) -> Result<(), Error> {
        Err(Self::refused(name))
    }

    async fn objects(&self, prefix: &str, after: Option<&str>, most: usize) -> Result<Vec<Object>, Error> {
        let cursor = self.cursor().await?;
        let first = if self.only_last { cursor.windows.len().saturating_sub(1) } else { 0 };
        // Names begin with numbers of one length, so that they are in order.
        let windows = cursor.windows.iter().skip(first);
        let asked = windows
            .filter(|window| window.name.starts_with(prefix) && after.is_none_or(|after| window.name.as_str() > after));
        Ok(asked.take(most).map(Window::object).collect())
    }
}
