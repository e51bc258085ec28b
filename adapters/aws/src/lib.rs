//! The ports over Amazon Web Services, and what the functions share: settings, logs and metrics. The only crate that
//! knows the SDK.
