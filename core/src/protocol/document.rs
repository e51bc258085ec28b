//! Document: a value that is stored between two calls, as JSON with the version of its format.

use serde::Deserialize;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::Error;
use crate::error::ErrorKind;
use crate::plan::InputPlan;
use crate::receipt::Receipt;
use crate::source::connector::{KeptCalls, KeptToken};

/// A value that is sent or stored between calls.
pub trait Document: Serialize + DeserializeOwned {
    /// What it is, for messages: `a task message`.
    const KIND: &'static str;
    /// The version of its format that is written, and the newest that can be read.
    const VERSION: u32;
}

#[derive(Serialize)]
struct Written<'a, D> {
    version: u32,
    #[serde(flatten)]
    document: &'a D,
}

#[derive(Deserialize)]
struct Version {
    version: u32,
}

/// A document as one line of JSON.
pub fn print<D: Document>(document: &D) -> String {
    match serde_json::to_string(&Written { version: D::VERSION, document }) {
        Ok(text) => text,
        Err(error) => unreachable!("a document is plain data: {error}"),
    }
}

/// Reads a document. What cannot be read will not be readable later: the error says why.
pub fn parse<D: Document>(bytes: &[u8]) -> Result<D, Error> {
    let refused = |why: String| Error::new(ErrorKind::Refused, why);
    let unreadable = |error: serde_json::Error| refused(format!("not {}: {error}", D::KIND));
    let Version { version } = serde_json::from_slice(bytes).map_err(unreadable)?;
    if version > D::VERSION {
        return Err(refused(format!(
            "{} of version {version}; this Etalon reads up to version {}",
            D::KIND,
            D::VERSION
        )));
    }
    serde_json::from_slice(bytes).map_err(unreadable)
}

impl Document for InputPlan {
    const KIND: &'static str = "a plan";
    const VERSION: u32 = 2;
}

impl Document for Receipt {
    const KIND: &'static str = "a receipt";
    const VERSION: u32 = 1;
}

impl Document for KeptToken {
    const KIND: &'static str = "a token that is kept";
    const VERSION: u32 = 1;
}

impl Document for KeptCalls {
    const KIND: &'static str = "a budget";
    const VERSION: u32 = 1;
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = r#"{ "version": 1, "input": "i", "generation": 0, "source": "a.csv", "source_version": "v",
        "size": 7, "fingerprint": "f", "batch_time": 5, "ranges": [{ "start": 0, "end": 7 }] }"#;

    #[test]
    fn a_plan_of_the_version_before_is_read_and_a_newer_one_is_refused() {
        let plan: InputPlan = parse(OLD.as_bytes()).unwrap();
        assert_eq!((plan.pipeline.as_str(), plan.meeting, plan.redrives, plan.cause.clone()), ("", 1, None, None));
        assert_eq!(parse::<InputPlan>(print(&plan).as_bytes()).unwrap(), plan);
        let newer = OLD.replace(r#""version": 1"#, r#""version": 3"#);
        assert_eq!(
            parse::<InputPlan>(newer.as_bytes()).unwrap_err().to_string(),
            "a plan of version 3; this Etalon reads up to version 2"
        );
    }
}
