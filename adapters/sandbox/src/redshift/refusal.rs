//! Refusal: an answer of the API that is an error, by its name and its words.

use serde_json::Map;
use serde_json::Value;

/// An error of the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) name: String,
    pub(super) message: String,
    /// The statement that is not there.
    pub(super) resource: Option<String>,
}

impl Refusal {
    pub(super) fn new(name: &str, message: impl Into<String>) -> Self {
        Self { name: name.to_owned(), message: message.into(), resource: None }
    }

    /// A request that is not as it should be.
    pub(super) fn validation(message: impl Into<String>) -> Self {
        Self::new("ValidationException", message)
    }

    /// A statement or result that is not there.
    pub(super) fn not_found(message: impl Into<String>, id: &str) -> Self {
        Self { resource: Some(id.to_owned()), ..Self::new("ResourceNotFoundException", message) }
    }

    /// The status of the answer: a fault of the service is 500, everything else 400.
    pub(super) fn status(&self) -> u16 {
        const FAULTS: [&str; 4] = [
            "InternalServerException",
            "ExecuteStatementException",
            "BatchExecuteStatementException",
            "DatabaseConnectionException",
        ];
        if FAULTS.contains(&self.name.as_str()) { 500 } else { 400 }
    }

    /// The body of the answer.
    pub(super) fn body(&self) -> Value {
        let mut body = Map::new();
        body.insert("__type".to_owned(), self.name.clone().into());
        body.insert("Message".to_owned(), self.message.clone().into());
        if let Some(id) = &self.resource {
            body.insert("ResourceId".to_owned(), id.clone().into());
        }
        Value::Object(body)
    }
}
