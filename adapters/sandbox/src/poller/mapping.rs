//! Mapping: which queue calls a function, and how; and what Lambda would refuse.

use std::time::Duration;

/// What is mapped, and how.
#[derive(Debug, Clone)]
pub struct Mapping {
    /// The queue.
    pub queue_url: String,
    /// The most messages of a batch.
    pub batch_size: usize,
    /// How long a batch waits for more messages.
    pub window: Duration,
    /// The most batches at once.
    pub concurrency: usize,
    /// Whether the function tells which messages of a batch failed.
    pub reports_failures: bool,
    /// Whether the function may be part of a loop.
    pub allows_loops: bool,
}

impl Mapping {
    /// A mapping that takes ten messages at once, with partial failures.
    pub fn new(queue_url: &str) -> Self {
        Self {
            queue_url: queue_url.to_owned(),
            batch_size: 10,
            window: Duration::ZERO,
            concurrency: 5,
            reports_failures: true,
            allows_loops: false,
        }
    }
}

/// What Lambda checks of a mapping.
pub(super) fn check(mapping: &Mapping, is_fifo: bool, visibility: Duration, timeout: Duration) -> Result<(), String> {
    let Mapping { batch_size, window, concurrency, .. } = mapping;
    let most = if is_fifo { 10 } else { 10_000 };
    if !(1..=most).contains(batch_size) {
        return Err(format!("batches of {batch_size} messages; Lambda takes 1 to {most}"));
    }
    if is_fifo && !window.is_zero() {
        return Err("a FIFO queue has no batching window".to_owned());
    }
    if *window > Duration::from_secs(300) {
        return Err(format!("a batching window of {} s; Lambda takes at most 300", window.as_secs()));
    }
    if *batch_size > 10 && *window < Duration::from_secs(1) {
        return Err("batches of more than 10 messages need a batching window of at least 1 s".to_owned());
    }
    if !(2..=1000).contains(concurrency) {
        return Err(format!("at most {concurrency} batches at once; Lambda takes 2 to 1000"));
    }
    if timeout > visibility {
        let (timeout, visibility) = (timeout.as_secs(), visibility.as_secs());
        return Err(format!(
            "a visibility timeout of {visibility} s is less than the function's timeout of {timeout} s"
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lambda_would_refuse_is_refused() {
        let check =
            |mapping: Mapping, is_fifo| check(&mapping, is_fifo, Duration::from_secs(30), Duration::from_secs(30));
        let mapping = || Mapping::new("q");
        let second = Duration::from_secs(1);
        assert!(check(mapping(), false).is_ok() && check(mapping(), true).is_ok());
        assert!(check(Mapping { batch_size: 11, window: second, ..mapping() }, false).is_ok());
        for (mapping, is_fifo) in [
            (Mapping { batch_size: 0, ..mapping() }, false),
            (Mapping { batch_size: 11, ..mapping() }, false),
            (Mapping { batch_size: 11, window: second, ..mapping() }, true),
            (Mapping { window: second, ..mapping() }, true),
            (Mapping { window: second * 301, ..mapping() }, false),
            (Mapping { concurrency: 1, ..mapping() }, false),
        ] {
            assert!(check(mapping.clone(), is_fifo).is_err(), "{mapping:?}");
        }
        let short = super::check(&mapping(), false, Duration::from_secs(29), Duration::from_secs(30));
        assert!(short.unwrap_err().contains("less than the function's"));
    }
}
