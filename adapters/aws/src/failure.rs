//! Failure: what the caller must do after an error of an AWS service. One place for all services.

use std::fmt::Display;

use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use etalon_core::error::{Error, ErrorKind};

/// Most characters of what a service says.
const WORDS_MAX: usize = 500;

/// The codes that mean something else than their status does.
const CODES: &[(&str, ErrorKind)] = &[
    ("NoSuchKey", ErrorKind::NotFound),
    ("ResourceNotFoundException", ErrorKind::NotFound),
    // What is deployed is gone; looking for it again does not help.
    ("NoSuchBucket", ErrorKind::Refused),
    // Somebody else writes at this moment.
    ("ConditionalRequestConflict", ErrorKind::Unavailable),
    ("OperationAborted", ErrorKind::Unavailable),
    // Too much at once.
    ("ActiveSessionsExceededException", ErrorKind::Unavailable),
    ("ActiveStatementsExceededException", ErrorKind::Unavailable),
    ("ActiveWaitingRequestsExceededException", ErrorKind::Unavailable),
    ("KMS.ThrottlingException", ErrorKind::Unavailable),
    ("OverLimit", ErrorKind::Unavailable),
    ("RequestLimitExceeded", ErrorKind::Unavailable),
    ("RequestThrottled", ErrorKind::Unavailable),
    ("RequestThrottledException", ErrorKind::Unavailable),
    ("RequestTimeout", ErrorKind::Unavailable),
    ("SlowDown", ErrorKind::Unavailable),
    ("Throttling", ErrorKind::Unavailable),
    ("ThrottledException", ErrorKind::Unavailable),
    ("ThrottlingException", ErrorKind::Unavailable),
    ("TooManyRequestsException", ErrorKind::Unavailable),
    // The next call comes with other credentials.
    ("ExpiredToken", ErrorKind::Unavailable),
    ("ExpiredTokenException", ErrorKind::Unavailable),
    // Rights arrive late, and somebody may give them back; the queue's own count ends it.
    ("AccessDenied", ErrorKind::Unavailable),
    ("AccessDeniedException", ErrorKind::Unavailable),
    ("KMS.AccessDeniedException", ErrorKind::Unavailable),
    ("UnrecognizedClientException", ErrorKind::Unavailable),
];
/// The calls of S3 to which a missing object is forbidden, for whom may not list the bucket.
const LOOKS: [&str; 2] = ["GetObject", "HeadObject"];

/// The kind of an error answer, by its status and its code.
fn kind(status: u16, code: &str) -> ErrorKind {
    if let Some(&(_, kind)) = CODES.iter().find(|(known, _)| *known == code) {
        return kind;
    }
    match status {
        404 => ErrorKind::NotFound,
        // The condition does not hold, or the range lies outside of what is there now.
        412 | 416 => ErrorKind::Changed,
        403 | 408 | 429 | 500.. => ErrorKind::Unavailable,
        _ => ErrorKind::Refused,
    }
}

/// The error of a call; `what` names the call and the thing. Nothing of the request is in it.
pub(crate) fn failed<E>(what: impl Display, error: &SdkError<E, HttpResponse>) -> Error
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    let what = what.to_string();
    let (kind, words) = match error {
        SdkError::ServiceError(answer) => {
            let (code, message) = (answer.err().code().unwrap_or_default(), answer.err().message().unwrap_or_default());
            let status = answer.raw().status().as_u16();
            let words: Vec<String> = [code, message].into_iter().filter(|text| !text.is_empty()).map(line).collect();
            let mut words = if words.is_empty() { format!("status {status}") } else { words.join(": ") };
            if status == 403 && LOOKS.iter().any(|call| what.ends_with(call)) {
                words.push_str(
                    "; without the right `s3:ListBucket` on the whole bucket S3 says this also of an object that is not there",
                );
            }
            (kind(status, code), words)
        }
        SdkError::TimeoutError(_) => (ErrorKind::Unavailable, "no answer in time".to_owned()),
        SdkError::DispatchFailure(failure) => {
            let kind = if failure.is_user() { ErrorKind::Refused } else { ErrorKind::Unavailable };
            (kind, context(error))
        }
        SdkError::ResponseError(_) => (ErrorKind::Unavailable, context(error)),
        _ => (ErrorKind::Refused, context(error)),
    };
    Error::new(kind, format!("{what}: {words}"))
}

/// The error of a connection that broke while its answer was read.
pub(crate) fn broken(what: impl Display, error: &(dyn std::error::Error + 'static)) -> Error {
    Error::new(ErrorKind::Unavailable, format!("{what}: {}", context(error)))
}

/// An error with what caused it, in one line.
fn context(error: &(dyn std::error::Error + 'static)) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        words.push_str(": ");
        words.push_str(&error.to_string());
        cause = error.source();
    }
    line(&words)
}

/// A text as one line that is not too long.
fn line(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ").chars().take(WORDS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_statuses_are_known() {
        for (status, code, expected) in [
            (404, "NoSuchKey", ErrorKind::NotFound),
            (404, "", ErrorKind::NotFound),
            (404, "NoSuchBucket", ErrorKind::Refused),
            (400, "ResourceNotFoundException", ErrorKind::NotFound),
            (412, "PreconditionFailed", ErrorKind::Changed),
            (416, "InvalidRange", ErrorKind::Changed),
            (409, "ConditionalRequestConflict", ErrorKind::Unavailable),
            (400, "ThrottlingException", ErrorKind::Unavailable),
            (400, "ActiveStatementsExceededException", ErrorKind::Unavailable),
            (400, "RequestTimeout", ErrorKind::Unavailable),
            (400, "ExpiredTokenException", ErrorKind::Unavailable),
            (403, "AccessDenied", ErrorKind::Unavailable),
            (403, "", ErrorKind::Unavailable),
            (400, "AccessDeniedException", ErrorKind::Unavailable),
            (400, "ValidationException", ErrorKind::Refused),
            (400, "AWS.SimpleQueueService.NonExistentQueue", ErrorKind::Refused),
            (301, "PermanentRedirect", ErrorKind::Refused),
        ] {
            assert_eq!(kind(status, code), expected, "{status} {code}");
        }
    }

    #[test]
    fn a_server_that_fails_is_asked_again_whatever_it_says() {
        for status in 500..=599 {
            for code in ["", "InternalError", "ServiceUnavailable", "SomethingNew"] {
                assert_eq!(kind(status, code), ErrorKind::Unavailable);
            }
        }
        for status in 400..=499 {
            let known = matches!(status, 403 | 404 | 408 | 412 | 416 | 429);
            assert_eq!(kind(status, "SomethingNew") == ErrorKind::Refused, !known, "{status}");
        }
    }

    #[test]
    fn words_are_one_line() {
        assert_eq!(line("a\n b\t\u{a0}c "), "a b c");
        assert_eq!(line(&"é".repeat(1000)).chars().count(), WORDS_MAX);
    }
}
