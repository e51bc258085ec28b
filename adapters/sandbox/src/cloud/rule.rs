//! Rule: which events EventBridge hands on, by the pattern of a rule. It knows what Terraform's modules use: exact values, and what
//! a text begins with; whatever else a pattern says matches nothing.

use etalon_core::error::{Error, ErrorKind};
use serde_json::Value;

/// A rule of events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    pattern: Value,
}

impl Rule {
    /// Reads an event pattern.
    pub fn read(pattern: &str) -> Result<Self, Error> {
        let wrong = |error| Error::new(ErrorKind::Refused, format!("an event pattern that is {error}: {pattern}"));
        Ok(Self { pattern: serde_json::from_str(pattern).map_err(wrong)? })
    }

    /// Whether it hands an event on.
    pub fn takes(&self, event: &Value) -> bool {
        matches(&self.pattern, event)
    }
}

fn matches(pattern: &Value, event: &Value) -> bool {
    match pattern {
        Value::Object(members) => members.iter().all(|(name, pattern)| matches(pattern, &event[name])),
        Value::Array(values) => values.iter().any(|value| match value {
            Value::Object(says) => {
                let prefix = says.get("prefix").and_then(Value::as_str).filter(|_| says.len() == 1);
                prefix.zip(event.as_str()).is_some_and(|(prefix, text)| text.starts_with(prefix))
            }
            value => value == event,
        }),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_rule_takes_what_its_pattern_says() {
        let pattern = json!({
            "source": ["aws.s3"],
            "detail": { "bucket": { "name": ["a", "b"] }, "object": { "key": [{ "prefix": "orders/" }] } },
        });
        let rule = Rule::read(&pattern.to_string()).unwrap();
        let event = |source: &str, bucket: &str, key: &str| json!({ "source": source, "detail": { "bucket": { "name": bucket }, "object": { "key": key } } });
        assert!(rule.takes(&event("aws.s3", "b", "orders/1.csv")));
        for (source, bucket, key) in
            [("aws.s4", "a", "orders/1"), ("aws.s3", "c", "orders/1"), ("aws.s3", "a", "notes/1")]
        {
            assert!(!rule.takes(&event(source, bucket, key)), "{source} {bucket} {key}");
        }
        assert!(!rule.takes(&json!({ "source": "aws.s3" })));
        assert!(!Rule::read(r#"{"source":[{"suffix":"3"}]}"#).unwrap().takes(&json!({ "source": "aws.s3" })));
        assert!(Rule::read("no JSON").is_err());
    }
}
