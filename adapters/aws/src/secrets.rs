//! Secrets: values that are kept in Secrets Manager; settings only name them.

use std::fmt;

use aws_sdk_secretsmanager::Client;
use etalon_core::error::{Error, ErrorKind};

use crate::failure::failed;

/// What the name of a secret begins with.
const NAME_PREFIX: &str = "arn:aws";
/// What stands in it after the partition.
const SERVICE: &str = ":secretsmanager:";

/// A value that nobody prints.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// The value, for whoever needs it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// The value that a setting means: `arn:aws:secretsmanager:…` is the value of that secret, `arn:…#key` that of a key of the
/// object that it holds, and everything else is what it says.
pub async fn resolve(client: &Client, setting: &str) -> Result<Secret, Error> {
    let Some((arn, key)) = name(setting) else { return Ok(Secret(setting.to_owned())) };
    let answer = client.get_secret_value().secret_id(arn).send().await;
    let answer = answer.map_err(|error| failed(format_args!("{arn}: GetSecretValue"), &error))?;
    let refused = |fact: &str| Error::new(ErrorKind::Refused, format!("{arn}: {fact}"));
    let value = answer.secret_string.ok_or_else(|| refused("the secret holds no text"))?;
    let Some(key) = key else { return Ok(Secret(value)) };
    // The error of the parser would quote what it met.
    let object: serde_json::Value = serde_json::from_str(&value).map_err(|_| refused("the secret is not JSON"))?;
    match object.get(key) {
        Some(serde_json::Value::String(text)) => Ok(Secret(text.clone())),
        Some(value @ (serde_json::Value::Number(_) | serde_json::Value::Bool(_))) => Ok(Secret(value.to_string())),
        Some(_) => Err(refused(&format!("the value of the key `{key}` is no text"))),
        None => Err(refused(&format!("the secret has no key `{key}`"))),
    }
}

/// The name of a secret and the key in it, if a setting is one.
fn name(setting: &str) -> Option<(&str, Option<&str>)> {
    let after = setting.strip_prefix(NAME_PREFIX)?;
    // The partition may be another one: `aws-cn`, `aws-us-gov`.
    let (partition, _) = after.split_once(SERVICE)?;
    if partition.contains(':') {
        return None;
    }
    Some(setting.split_once('#').map_or((setting, None), |(arn, key)| (arn, Some(key))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_secrets_are_told_from_values() {
        let arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:db-AbCdEf";
        assert_eq!(name(arn), Some((arn, None)));
        assert_eq!(name(&format!("{arn}#password")), Some((arn, Some("password"))));
        assert!(name("arn:aws-us-gov:secretsmanager:us-gov-west-1:123456789012:secret:db-AbCdEf").is_some());
        for value in ["", "postgres://u:p#w@h/d", "arn:aws:s3:::bucket", "arn:aws:iam::1:role/x:secretsmanager:y"] {
            assert_eq!(name(value), None, "{value}");
        }
    }

    #[test]
    fn a_value_is_not_printed() {
        assert!(!format!("{:?}", Secret("hunter2".to_owned())).contains("hunter2"));
    }
}
