//! Panic: a bug of ours in the middle of a call. It affects the message that was being processed, and no other.
//!
//! The message of a panic may quote a record, and neither logs nor dead letters may contain records. So only its place in the
//! code is reported, and texts that stand literally in the code.

use std::cell::RefCell;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind};
use std::pin::pin;
use std::task::Poll;

use etalon_core::error::{Error, ErrorKind};

thread_local! {
    /// What the last panic of this thread said.
    static LAST: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Makes every panic one line of the log.
pub(crate) fn log() {
    std::panic::set_hook(Box::new(|panic| {
        let words = told(panic);
        tracing::error!(words, "a bug");
        LAST.set(Some(words));
    }));
}

/// What a future gives; a panic on its way becomes an error. It comes again, since something else may have led to it than the
/// message, until its queue gives up.
pub(crate) async fn caught<T>(work: impl Future<Output = T>) -> Result<T, Error> {
    let mut work = pin!(work);
    poll_fn(|context| {
        // What the work has left half done is dropped with it; what is kept is written under conditions.
        match catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(context))) {
            Ok(polled) => polled.map(Ok),
            Err(_) => {
                let words = LAST.take().unwrap_or_else(|| "a panic".to_owned());
                Poll::Ready(Err(Error::new(
                    ErrorKind::Unavailable,
                    format!("a bug of Etalon, please report it: {words}"),
                )))
            }
        }
    })
    .await
}

fn told(panic: &PanicHookInfo<'_>) -> String {
    let place = panic.location().map(ToString::to_string).unwrap_or_default();
    // A text that was put together may have a record's content in it.
    match panic.payload().downcast_ref::<&str>() {
        Some(words) => format!("{place}: {words}"),
        None => place,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_an_error_with_its_place_and_quotes_nothing() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        log();
        let of = |work: fn(&str)| runtime.block_on(caught(async { work("a row") }));
        assert_eq!(of(|_| ()), Ok(()));
        let error = of(|_| panic!("it cannot be")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        let words = error.to_string();
        assert!(words.contains("panic.rs:") && words.ends_with(": it cannot be"), "{words}");
        let words = of(|row| panic!("{row} cannot be")).unwrap_err().to_string();
        assert!(words.contains("panic.rs:") && !words.contains("row"), "{words}");
        let _ = std::panic::take_hook();
    }
}
