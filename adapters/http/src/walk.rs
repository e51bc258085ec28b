//! Walk: a stream read to its end. Core says what is next; this sends, waits, and hands the pages on.

use etalon_core::error::{Error, ErrorKind};
use etalon_core::source::connector::{Page, Step, Walk};
use etalon_driver::ports::Clock;

use crate::Client;

/// Walks a stream to its end, and hands each page of records on.
///
/// The error is core's, the server's, or that of `take`. Where a server gave no answer as often as the manifest lets it, it says what
/// came instead of the last one.
pub fn walk(
    walk: &mut Walk,
    client: &Client,
    clock: &impl Clock,
    mut take: impl FnMut(Page) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut unanswered: Option<Error> = None;
    loop {
        let step = walk.step(clock.now()).map_err(|error| match &unanswered {
            Some(reason) => Error::new(error.kind(), format!("{error}: {reason}")),
            None => error,
        })?;
        match step {
            Step::Request(request) => match client.send(&request) {
                Ok(response) => {
                    unanswered = None;
                    walk.push(Some(response));
                }
                Err(error) if error.kind() == ErrorKind::Unavailable => {
                    unanswered = Some(error);
                    walk.push(None);
                }
                Err(error) => return Err(error),
            },
            Step::Wait(until) => clock.wait(until.saturating_sub(clock.now()).max(0)),
            Step::Page(page) => take(page)?,
            Step::Done => return Ok(()),
        }
    }
}
