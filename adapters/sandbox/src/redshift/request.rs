//! Request: the members of a call, each of its type and within its bounds.
//!
//! The service ignores a member that it does not know. Here it is an error, so that a misspelled member is found.

use serde_json::Map;
use serde_json::Value;

use super::parameters;
use super::parameters::Parameter;
use super::refusal::Refusal;

/// Most bytes of a statement.
pub(super) const SQL_BYTES_MAX: usize = 200 * 1024;
/// Most statements of a batch.
const SQLS_MAX: usize = 40;
/// Most letters of a token and of a statement's name.
const TOKEN_MAX: usize = 64;
const NAME_MAX: usize = 2048;

/// The members of a call.
#[derive(Debug)]
pub(super) struct Members {
    members: Map<String, Value>,
}

impl Members {
    /// Reads a body, of which only these members are known.
    pub(super) fn read(body: &[u8], known: &[&str]) -> Result<Self, Refusal> {
        let serialization = |fact: &str| Refusal::new("SerializationException", fact);
        let members = match serde_json::from_slice(body) {
            Ok(Value::Object(members)) => members,
            Ok(_) => return Err(serialization("the body is no JSON object")),
            Err(_) if body.is_empty() => Map::new(),
            Err(_) => return Err(serialization("the body is no JSON")),
        };
        match members.keys().find(|name| !known.contains(&name.as_str())) {
            Some(name) => Err(Refusal::validation(format!("{name} is no member of this request"))),
            None => Ok(Self { members }),
        }
    }

    fn get(&self, name: &str) -> Option<&Value> {
        self.members.get(name).filter(|value| !value.is_null())
    }

    /// A text, if it is there.
    pub(super) fn text(&self, name: &str) -> Result<Option<String>, Refusal> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(wrong_type(name)),
        }
    }

    /// A text that must be there.
    pub(super) fn required(&self, name: &str) -> Result<String, Refusal> {
        self.text(name)?.ok_or_else(|| {
            let member = name[..1].to_lowercase() + &name[1..];
            Refusal::validation(format!(
                "1 validation error detected: Value null at '{member}' failed to satisfy constraint: Member must not be null"
            ))
        })
    }

    fn bounded(&self, name: &str, least: usize, most: usize) -> Result<Option<String>, Refusal> {
        let text = self.text(name)?;
        match &text {
            Some(text) if !(least..=most).contains(&text.chars().count()) => {
                Err(Refusal::validation(format!("{name} must have a length between {least} and {most}")))
            }
            _ => Ok(text),
        }
    }

    /// A whole number within bounds, if it is there.
    pub(super) fn number(&self, name: &str, least: i64, most: i64) -> Result<Option<i64>, Refusal> {
        match self.get(name) {
            None => Ok(None),
            Some(value) => match value.as_i64() {
                None => Err(wrong_type(name)),
                Some(number) if !(least..=most).contains(&number) => {
                    Err(Refusal::validation(format!("{name} must be between {least} and {most}")))
                }
                number => Ok(number),
            },
        }
    }

    fn flag(&self, name: &str) -> Result<bool, Refusal> {
        match self.get(name) {
            None => Ok(false),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(_) => Err(wrong_type(name)),
        }
    }

    fn one_of(&self, name: &str, words: &[&str]) -> Result<Option<String>, Refusal> {
        let text = self.text(name)?;
        match &text {
            Some(text) if !words.contains(&text.as_str()) => {
                Err(Refusal::validation(format!("{name} must be one of {}", words.join(", "))))
            }
            _ => Ok(text),
        }
    }

    /// How many seconds the answer may wait for the end of the statement.
    pub(super) fn wait_seconds(&self) -> Result<u64, Refusal> {
        Ok(self.number("WaitTimeSeconds", 1, 30)?.unwrap_or_default().unsigned_abs())
    }

    fn parameters(&self) -> Result<Vec<Parameter>, Refusal> {
        let wrong = || wrong_type("Parameters");
        let Some(list) = self.get("Parameters") else { return Ok(Vec::new()) };
        let list = list.as_array().ok_or_else(wrong)?;
        if list.is_empty() {
            return Err(Refusal::validation("Parameters must have at least 1 member"));
        }
        let parameter = |item: &Value| {
            let text = |name: &str| item.get(name).and_then(Value::as_str).map(str::to_owned).ok_or_else(wrong);
            Ok(Parameter { name: text("name")?, value: text("value")? })
        };
        list.iter().map(parameter).collect()
    }
}

fn wrong_type(name: &str) -> Refusal {
    Refusal::new("SerializationException", format!("{name} is of another type"))
}

/// Who asks, and of which warehouse.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Place {
    pub(super) database: Option<String>,
    pub(super) cluster: Option<String>,
    pub(super) workgroup: Option<String>,
    pub(super) user: Option<String>,
    pub(super) secret: Option<String>,
}

/// The members that say who asks.
const PLACE: [&str; 5] = ["Database", "ClusterIdentifier", "WorkgroupName", "DbUser", "SecretArn"];

impl Place {
    fn read(members: &Members) -> Result<Self, Refusal> {
        let place = Self {
            database: members.bounded("Database", 1, 64)?,
            cluster: members.bounded("ClusterIdentifier", 1, 63)?,
            workgroup: members.bounded("WorkgroupName", 3, 128)?,
            user: members.text("DbUser")?,
            secret: members.text("SecretArn")?,
        };
        let fault = match (&place.cluster, &place.workgroup) {
            (Some(_), Some(_)) => "ClusterIdentifier and WorkgroupName do not stand together",
            (None, None) if place.secret.is_none() => "Either ClusterIdentifier or WorkgroupName is needed",
            (None, _) if place.user.is_some() => "DbUser needs ClusterIdentifier",
            _ if place.database.is_none() => "Database is needed",
            _ => return Ok(place),
        };
        Err(Refusal::validation(fault))
    }
}

/// How the statements of a batch stand to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// All of them, or none.
    Transaction,
    /// Each for itself.
    AutoCommit,
}

/// What is to be run.
#[derive(Debug, Clone)]
pub(super) struct Submission {
    pub(super) sqls: Vec<String>,
    pub(super) parameters: Vec<Parameter>,
    pub(super) is_batch: bool,
    pub(super) mode: Mode,
    pub(super) place: Place,
    pub(super) name: Option<String>,
    pub(super) with_event: bool,
    pub(super) token: Option<String>,
    pub(super) wait_seconds: u64,
}

impl Submission {
    /// Reads ExecuteStatement or BatchExecuteStatement.
    pub(super) fn read(body: &[u8], is_batch: bool) -> Result<Self, Refusal> {
        const SHARED: [&str; 8] = [
            "Parameters",
            "StatementName",
            "WithEvent",
            "ClientToken",
            "ResultFormat",
            "SessionId",
            "SessionKeepAliveSeconds",
            "WaitTimeSeconds",
        ];
        let own: &[&str] = if is_batch { &["Sqls", "ExecutionMode"] } else { &["Sql"] };
        let members = Members::read(body, &[own, &PLACE, &SHARED].concat())?;
        let sqls = if is_batch { sqls(&members)? } else { vec![members.required("Sql")?] };
        if let Some(long) = sqls.iter().map(String::len).find(|bytes| *bytes > SQL_BYTES_MAX) {
            let fact = format!("a statement has {long} bytes, and the limit is {SQL_BYTES_MAX}");
            return Err(Refusal::validation(fact));
        }
        if sqls.iter().any(|sql| sql.trim().is_empty()) {
            return Err(Refusal::validation("a statement is empty"));
        }
        // What is left out here is said, not ignored.
        for missing in ["SessionId", "SessionKeepAliveSeconds"] {
            if members.get(missing).is_some_and(|value| value.as_i64() != Some(0)) {
                return Err(Refusal::validation(format!("{missing}: the sandbox keeps no sessions")));
            }
        }
        if members.one_of("ResultFormat", &["JSON", "CSV"])?.as_deref() == Some("CSV") {
            return Err(Refusal::validation("ResultFormat: the sandbox gives results as JSON only"));
        }
        let parameters = members.parameters()?;
        let numbered: Vec<_> = sqls.iter().map(|sql| parameters::number(sql)).collect();
        if let Some(fault) = parameters::fault(&numbered, &parameters) {
            return Err(Refusal::validation(fault));
        }
        let mode = match members.one_of("ExecutionMode", &["TRANSACTION", "AUTO_COMMIT"])?.as_deref() {
            Some("AUTO_COMMIT") => Mode::AutoCommit,
            _ if is_batch => Mode::Transaction,
            _ => Mode::AutoCommit,
        };
        Ok(Self {
            sqls,
            parameters,
            is_batch,
            mode,
            place: Place::read(&members)?,
            name: members.bounded("StatementName", 0, NAME_MAX)?,
            with_event: members.flag("WithEvent")?,
            token: members.bounded("ClientToken", 1, TOKEN_MAX)?,
            wait_seconds: members.wait_seconds()?,
        })
    }
}

fn sqls(members: &Members) -> Result<Vec<String>, Refusal> {
    let list = members.get("Sqls").ok_or_else(|| {
        Refusal::validation(
            "1 validation error detected: Value null at 'sqls' failed to satisfy constraint: Member must not be null",
        )
    })?;
    let list = list.as_array().ok_or_else(|| wrong_type("Sqls"))?;
    let sql = |item: &Value| item.as_str().map(str::to_owned).ok_or_else(|| wrong_type("Sqls"));
    let sqls = list.iter().map(sql).collect::<Result<Vec<_>, _>>()?;
    if !(1..=SQLS_MAX).contains(&sqls.len()) {
        return Err(Refusal::validation(format!("Sqls must have between 1 and {SQLS_MAX} members")));
    }
    Ok(sqls)
}

/// What ListStatements asks for.
#[derive(Debug)]
pub(super) struct Listing {
    pub(super) most: usize,
    pub(super) token: Option<String>,
    pub(super) name: Option<String>,
    pub(super) status: Option<String>,
    pub(super) place: Place,
}

impl Listing {
    /// Reads ListStatements.
    pub(super) fn read(body: &[u8]) -> Result<Self, Refusal> {
        let known = ["MaxResults", "NextToken", "StatementName", "Status", "RoleLevel"];
        let members = Members::read(body, &[&known[..], &PLACE].concat())?;
        members.flag("RoleLevel")?;
        let statuses = ["ALL", "SUBMITTED", "PICKED", "STARTED", "FINISHED", "FAILED", "ABORTED"];
        let most = members.number("MaxResults", 0, 100)?.filter(|most| *most > 0).unwrap_or(100);
        Ok(Self {
            most: usize::try_from(most).unwrap_or(100),
            token: members.text("NextToken")?,
            name: members.bounded("StatementName", 0, NAME_MAX)?,
            status: members.one_of("Status", &statuses)?.filter(|status| status != "ALL"),
            place: Place {
                database: members.text("Database")?,
                cluster: members.text("ClusterIdentifier")?,
                workgroup: members.text("WorkgroupName")?,
                ..Place::default()
            },
        })
    }
}
