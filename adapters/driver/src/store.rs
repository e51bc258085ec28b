//! Store: operations on objects and messages that several loops share.

use std::future::Future;

use etalon_core::error::{Error, ErrorKind};
use etalon_core::plan::InputPlan;
use etalon_core::protocol::{Document, Place, Unit, name, parse, print};
use etalon_core::receipt::Receipt;
use futures_util::stream::{StreamExt, TryStreamExt, iter};

use crate::ports::{Entry, MESSAGES_MAX, Message, Objects, Put, Queue};

/// Names of one page of a listing.
const PAGE_NAMES: usize = 1000;
/// The most bytes of the bodies of one `send`.
const SEND_BYTES_MAX: usize = 1024 * 1024;
/// How often in a row an entry may fail before the sender gives up.
const SEND_ATTEMPTS_MAX: usize = 5;

/// The most concurrent requests.
pub(crate) const TOGETHER: usize = 32;

/// What to do with a message that was handled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Handled {
    /// Its work is done: remove it.
    Done,
    /// The environment failed: leave it, so that it is delivered again.
    Again(Error),
    /// Trying again does not help: move it to the dead-letter queue, with the reason.
    Dead(Error),
}

impl From<Result<(), Error>> for Handled {
    /// An error that may not occur the next time is tried again: a failure of the environment, or a race that another worker
    /// has won.
    fn from(result: Result<(), Error>) -> Self {
        match result {
            Ok(()) => Self::Done,
            Err(error) => match error.kind() {
                ErrorKind::Unavailable | ErrorKind::Changed | ErrorKind::AlreadyExists => Self::Again(error),
                ErrorKind::NotFound | ErrorKind::Held | ErrorKind::Refused => Self::Dead(error),
            },
        }
    }
}

impl Handled {
    /// Carries it out.
    pub async fn settle(&self, queue: &impl Queue, message: &Message) -> Result<(), Error> {
        match self {
            Self::Done => queue.delete(message).await,
            Self::Again(_) => Ok(()),
            Self::Dead(error) => queue.bury(message, &error.to_string()).await,
        }
    }
}

/// Whether objects of a pipeline are named without their place: they are where the store saw the first of them. What an older
/// Etalon has loaded came from where they are now.
pub async fn is_first_place(store: &impl Objects, pipeline: &str, place: &str) -> Result<bool, Error> {
    let at = name::place(pipeline);
    let own = Place { place: place.to_owned() };
    let first = match document::<Place>(store, &at).await? {
        Some((first, _)) => first,
        None => match put(store, &at, &own, Put::IfAbsent).await {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                document::<Place>(store, &at).await?.map_or(own, |(first, _)| first)
            }
            done => done.map(|_| own)?,
        },
    };
    Ok(first.place == place)
}

/// Runs the same operation on many values concurrently, and returns the results in order. The first error ends it.
pub(crate) async fn side_by_side<I: IntoIterator, T, F: Future<Output = Result<T, Error>>>(
    things: I,
    work: impl FnMut(I::Item) -> F,
) -> Result<Vec<T>, Error> {
    iter(things).map(work).buffered(TOGETHER).try_collect().await
}

/// All names that begin with `prefix`, in order.
pub async fn names(store: &impl Objects, prefix: &str) -> Result<Vec<String>, Error> {
    let mut names: Vec<String> = Vec::new();
    loop {
        let page = store.list(prefix, names.last().map(String::as_str), PAGE_NAMES).await?;
        let is_last = page.len() < PAGE_NAMES;
        names.extend(page);
        if is_last {
            return Ok(names);
        }
    }
}

/// The document of that name and its version, if it is there.
pub async fn document<D: Document>(store: &impl Objects, name: &str) -> Result<Option<(D, String)>, Error> {
    match store.fetch(name).await {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
        Ok((bytes, version)) => match parse(&bytes) {
            Ok(document) => Ok(Some((document, version))),
            Err(error) => Err(Error::new(error.kind(), format!("{name} is {error}"))),
        },
    }
}

/// Whether an error says that a document cannot be read, now or later. Other work need not wait for it.
pub(crate) fn is_unreadable(error: &Error) -> bool {
    error.kind() == ErrorKind::Refused
}

/// The document, or why it cannot be read; an error of the environment stays an error.
pub(crate) fn readable<T>(found: Result<T, Error>) -> Result<Result<T, Error>, Error> {
    match found {
        Err(error) if is_unreadable(&error) => Ok(Err(error)),
        found => found.map(Ok),
    }
}

/// Writes a document, and gives its version.
pub async fn put<D: Document>(
    store: &impl Objects,
    name: &str,
    document: &D,
    condition: Put<'_>,
) -> Result<String, Error> {
    store.put(name, print(document).as_bytes(), condition).await
}

/// Writes an object unless it is there.
pub async fn put_once(store: &impl Objects, name: &str, bytes: &[u8]) -> Result<(), Error> {
    match store.put(name, bytes, Put::IfAbsent).await {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        done => done.map(drop),
    }
}

/// The plan of an input; without it nothing can be done, now or later.
pub async fn plan(store: &impl Objects, input: &str, generation: u32) -> Result<InputPlan, Error> {
    let place = name::plan(input, generation);
    match document(store, &place).await? {
        Some((plan, _)) => Ok(plan),
        None => Err(Error::new(ErrorKind::NotFound, format!("{place}: there is no such plan"))),
    }
}

/// The receipt of a batch, if the batch is done.
pub async fn receipt(store: &impl Objects, batch: &str) -> Result<Option<Receipt>, Error> {
    Ok(document(store, &name::receipt(batch)).await?.map(|(receipt, _)| receipt))
}

/// The documents of all units of an input, one a generation, with their versions.
pub async fn units(store: &impl Objects, table: &str, input: &str) -> Result<Vec<(Unit, String)>, Error> {
    let mut units = Vec::new();
    for place in names(store, &name::units(table, Some(input))).await? {
        units.extend(document(store, &place).await?);
    }
    Ok(units)
}

/// A value as indented JSON with a line end.
pub fn json(value: &impl serde::Serialize) -> Result<Vec<u8>, Error> {
    let mut text = serde_json::to_vec_pretty(value)
        .map_err(|error| Error::new(ErrorKind::Refused, format!("a record of the run cannot be written: {error}")))?;
    text.push(b'\n');
    Ok(text)
}

/// Sends messages in batches; the ones that a queue did not take are sent again.
pub async fn send(queue: &impl Queue, entries: Vec<Entry>) -> Result<(), Error> {
    let mut waiting = entries;
    let mut failures = 0;
    while !waiting.is_empty() {
        let mut bytes = 0;
        let fits = |entry: &&Entry| {
            bytes += entry.body.len();
            bytes <= SEND_BYTES_MAX
        };
        let count = waiting.iter().take(MESSAGES_MAX).take_while(fits).count().max(1);
        let rest = waiting.split_off(count.min(waiting.len()));
        let failed = queue.send(&waiting).await?;
        if let Some((_, error)) = failed.first() {
            failures += 1;
            if failures >= SEND_ATTEMPTS_MAX {
                return Err(Error::new(ErrorKind::Unavailable, format!("a queue does not take messages: {error}")));
            }
        } else {
            failures = 0;
        }
        let mut again: Vec<Entry> =
            failed.into_iter().filter_map(|(position, _)| waiting.get(position).cloned()).collect();
        again.extend(rest);
        waiting = again;
    }
    Ok(())
}
