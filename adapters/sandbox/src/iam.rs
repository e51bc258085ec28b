//! Iam: evaluates what a role allows. So a request that the role's policy does not allow is refused, as by AWS, and a
//! permission that no request needs is found.

mod request;

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use etalon_core::error::{Error, ErrorKind};
use serde_json::Value;

pub(crate) use request::Asking;

/// What is asked for: an action, and what it is done with.
pub(crate) type Asked = (String, String);

/// The policy of a role.
#[derive(Debug)]
pub struct Policy {
    /// Each action with each pattern of resources that it is allowed on.
    grants: Vec<Asked>,
    /// How many statements it has.
    statements: usize,
    /// Which of them something was allowed by.
    used: Mutex<BTreeSet<usize>>,
    /// What was refused.
    refused: Mutex<BTreeSet<Asked>>,
}

impl Policy {
    /// Reads a policy document of statements that allow. Conditions are taken for fulfilled.
    pub fn read(document: &str) -> Result<Self, Error> {
        let wrong = |what: &str| Error::new(ErrorKind::Refused, format!("a policy {what}: {document}"));
        let document: Value = serde_json::from_str(document).map_err(|error| wrong(&format!("that is {error}")))?;
        let mut grants = Vec::new();
        let statements = several(&document["Statement"]);
        for statement in &statements {
            if statement["Effect"] != "Allow" {
                return Err(wrong("that does more than allow"));
            }
            for action in several(&statement["Action"]) {
                for resource in several(&statement["Resource"]) {
                    let (Some(action), Some(resource)) = (action.as_str(), resource.as_str()) else {
                        return Err(wrong("without a text"));
                    };
                    grants.push((action.to_owned(), resource.to_owned()));
                }
            }
        }
        Ok(Self { grants, statements: statements.len(), used: Mutex::default(), refused: Mutex::default() })
    }

    /// Whether an action is allowed on a resource, and writes down by which grants, or that it is not.
    pub(crate) fn allows(&self, action: &str, resource: &str) -> bool {
        let by =
            |(at, (allowed, pattern)): (usize, &Asked)| (allowed == action && matches(pattern, resource)).then_some(at);
        let found: Vec<usize> = self.grants.iter().enumerate().filter_map(by).collect();
        if found.is_empty() {
            let refused = (action.to_owned(), resource.to_owned());
            self.refused.lock().unwrap_or_else(PoisonError::into_inner).insert(refused);
            return false;
        }
        self.used.lock().unwrap_or_else(PoisonError::into_inner).extend(found);
        true
    }

    /// The grants that nothing was allowed by: action and pattern.
    pub fn unused(&self) -> Vec<(String, String)> {
        let used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        self.grants.iter().enumerate().filter(|(at, _)| !used.contains(at)).map(|(_, grant)| grant.clone()).collect()
    }

    /// What was refused: action and resource.
    pub fn refused(&self) -> Vec<(String, String)> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    /// The number of its statements.
    pub fn statements(&self) -> usize {
        self.statements
    }

    /// All grants.
    pub fn len(&self) -> usize {
        self.grants.len()
    }

    /// Whether it allows nothing.
    pub fn is_empty(&self) -> bool {
        self.grants.is_empty()
    }
}

/// The items of a list, or the one that stands in its place.
fn several(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(items) => items.iter().collect(),
        Value::Null => Vec::new(),
        one => vec![one],
    }
}

/// Whether a pattern means a text; `*` stands for anything.
fn matches(pattern: &str, text: &str) -> bool {
    let mut pieces = pattern.split('*');
    let Some(mut rest) = pieces.next().and_then(|first| text.strip_prefix(first)) else { return false };
    let pieces: Vec<&str> = pieces.collect();
    let Some((last, middle)) = pieces.split_last() else { return rest.is_empty() };
    for piece in middle {
        let Some((_, after)) = rest.split_once(piece) else { return false };
        rest = after;
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_allows_what_it_says_and_knows_what_was_needed() {
        let policy = Policy::read(
            r#"{"Statement":[{"Effect":"Allow","Action":["s3:GetObject","s3:PutObject"],"Resource":"arn:aws:s3:::b/a/*"},
                {"Effect":"Allow","Action":"sqs:SendMessage","Resource":["q1","q2"]}]}"#,
        )
        .unwrap();
        assert_eq!((policy.statements(), policy.len()), (2, 4));
        assert!(policy.allows("s3:GetObject", "arn:aws:s3:::b/a/x"));
        assert!(policy.allows("sqs:SendMessage", "q2"));
        assert!(!policy.allows("s3:GetObject", "arn:aws:s3:::b/ax"));
        assert!(!policy.allows("s3:DeleteObject", "arn:aws:s3:::b/a/x"));
        let text = |(action, resource): (&str, &str)| (action.to_owned(), resource.to_owned());
        assert_eq!(policy.unused(), [("s3:PutObject", "arn:aws:s3:::b/a/*"), ("sqs:SendMessage", "q1")].map(text));
        assert_eq!(
            policy.refused(),
            [("s3:DeleteObject", "arn:aws:s3:::b/a/x"), ("s3:GetObject", "arn:aws:s3:::b/ax")].map(text)
        );
        assert!(Policy::read(r#"{"Statement":{"Effect":"Deny","Action":"*","Resource":"*"}}"#).is_err());
    }

    #[test]
    fn a_star_stands_for_anything() {
        for (pattern, text, is_meant) in [
            ("a", "a", true),
            ("a", "ab", false),
            ("*", "", true),
            ("a/*.yaml", "a/b/c.yaml", true),
            ("a/*.yaml", "a/b", false),
            ("a*b*c", "a--b--c", true),
            ("a*b*c", "acb", false),
        ] {
            assert_eq!(matches(pattern, text), is_meant, "{pattern} {text}");
        }
    }
}
