//! Answer: what the API says of a statement. Absent members are left out; times are seconds since 1970, with a fraction.

use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use super::request::Mode;
use super::request::Place;
use super::statements::Statement;
use super::statements::SubStatement;

/// Members of an answer; those without a value are left out.
fn members<const N: usize>(members: [(&str, Option<Value>); N]) -> Map<String, Value> {
    members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

#[expect(clippy::cast_precision_loss, reason = "microseconds of our time fit a double")]
fn seconds(micros: i64) -> Value {
    json!(micros as f64 / 1e6)
}

fn place(place: &Place) -> Map<String, Value> {
    let text = |value: &Option<String>| value.clone().map(Value::from);
    members([
        ("Database", text(&place.database)),
        ("ClusterIdentifier", text(&place.cluster)),
        ("WorkgroupName", text(&place.workgroup)),
        ("DbUser", text(&place.user)),
        ("SecretArn", text(&place.secret)),
    ])
}

fn has_result(part: &SubStatement) -> bool {
    part.result.is_some()
}

fn result_bytes(part: &SubStatement) -> i64 {
    part.result.as_ref().map_or(-1, |result| i64::try_from(result.bytes).unwrap_or(i64::MAX))
}

/// The answer to whoever submits a statement.
pub(super) fn submitted(statement: &Statement, waited: bool) -> Value {
    let mut answer = members([
        ("Id", Some(statement.id.clone().into())),
        ("CreatedAt", Some(seconds(statement.created_at))),
        // The status is told to those who have waited for it.
        ("Status", waited.then(|| statement.status.name().into())),
        ("HasResultSet", waited.then(|| statement.sub_statements.iter().any(has_result).into())),
    ]);
    answer.extend(place(&statement.submission.place));
    Value::Object(answer)
}

/// The answer of DescribeStatement: of the whole, or of the part with a number.
pub(super) fn described(statement: &Statement, number: Option<usize>) -> Value {
    let submission = &statement.submission;
    let whole = match (number, statement.sub_statements.as_slice()) {
        (Some(number), parts) => {
            let part = number.checked_sub(1).and_then(|at| Some((parts.get(at)?, submission.sqls.get(at)?)));
            part.map(|(part, sql)| sub_statement(statement, number, part, sql)).unwrap_or_default()
        }
        (None, [only]) if !submission.is_batch => {
            let mut whole = status_of(statement);
            whole.extend(members([
                ("QueryString", submission.sqls.first().map(|sql| sql.clone().into())),
                ("HasResultSet", Some(has_result(only).into())),
                ("ResultRows", Some(only.rows.into())),
                ("ResultSize", Some(result_bytes(only).into())),
                ("RedshiftQueryId", Some(only.query.into())),
            ]));
            whole
        }
        (None, parts) => {
            let numbered = (1..).zip(parts).zip(&submission.sqls);
            let parts_told = numbered.map(|((number, part), sql)| sub_statement(statement, number, part, sql).into());
            let mode = match submission.mode {
                Mode::Transaction => "TRANSACTION",
                Mode::AutoCommit => "AUTO_COMMIT",
            };
            let mut whole = status_of(statement);
            whole.extend(members([
                ("HasResultSet", Some(parts.iter().any(has_result).into())),
                // Of a batch AWS tells no number of rows and no query.
                ("ResultRows", Some((-1).into())),
                ("ResultSize", Some(parts.iter().map(result_bytes).filter(|bytes| *bytes > 0).sum::<i64>().into())),
                ("RedshiftQueryId", Some(0.into())),
                ("ExecutionMode", Some(mode.into())),
                ("SubStatements", Some(parts_told.collect::<Vec<Value>>().into())),
            ]));
            whole
        }
    };
    Value::Object(whole)
}

fn status_of(statement: &Statement) -> Map<String, Value> {
    let parameters = &statement.submission.parameters;
    let parameters = parameters.iter().map(|given| json!({ "name": given.name, "value": given.value }));
    let parameters: Vec<Value> = parameters.collect();
    let mut told = members([
        ("Id", Some(statement.id.clone().into())),
        ("Status", Some(statement.status.name().into())),
        ("Error", statement.error.clone().map(Value::from)),
        ("CreatedAt", Some(seconds(statement.created_at))),
        ("UpdatedAt", Some(seconds(statement.updated_at))),
        ("Duration", Some(statement.nanos.into())),
        ("RedshiftPid", Some(statement.process.into())),
        ("ResultFormat", Some("JSON".into())),
        ("QueryParameters", (!parameters.is_empty()).then(|| parameters.into())),
    ]);
    told.extend(place(&statement.submission.place));
    told
}

fn sub_statement(statement: &Statement, number: usize, part: &SubStatement, sql: &str) -> Map<String, Value> {
    members([
        ("Id", Some(format!("{}:{number}", statement.id).into())),
        ("Status", Some(part.status.name().into())),
        ("Error", part.error.clone().map(Value::from)),
        ("CreatedAt", Some(seconds(statement.created_at))),
        ("UpdatedAt", Some(seconds(part.updated_at))),
        ("Duration", Some(part.nanos.into())),
        ("QueryString", Some(sql.into())),
        ("HasResultSet", Some(has_result(part).into())),
        ("ResultRows", Some(part.rows.into())),
        ("ResultSize", Some(result_bytes(part).into())),
        ("RedshiftQueryId", Some(part.query.into())),
    ])
}

/// A statement in the answer of ListStatements.
pub(super) fn listed(statement: &Statement) -> Value {
    let submission = &statement.submission;
    let sqls = || submission.sqls.iter().map(|sql| sql.as_str().into()).collect::<Vec<Value>>();
    let mut listed = members([
        ("Id", Some(statement.id.clone().into())),
        ("Status", Some(statement.status.name().into())),
        ("StatementName", submission.name.clone().map(Value::from)),
        ("CreatedAt", Some(seconds(statement.created_at))),
        ("UpdatedAt", Some(seconds(statement.updated_at))),
        ("IsBatchStatement", Some(submission.is_batch.into())),
        ("ResultFormat", Some("JSON".into())),
        ("SecretArn", submission.place.secret.clone().map(Value::from)),
    ]);
    let text = match submission.is_batch {
        true => ("QueryStrings", Value::from(sqls())),
        false => ("QueryString", submission.sqls.first().map_or("", String::as_str).into()),
    };
    listed.insert(text.0.to_owned(), text.1);
    Value::Object(listed)
}

/// The event that tells the end of a statement; its id is the statement's, since there is one event for each.
pub(super) fn event(statement: &Statement, region: &str, account: &str) -> Value {
    let place = &statement.submission.place;
    let resource = match (&place.cluster, &place.workgroup) {
        (Some(cluster), _) => format!("arn:aws:redshift:{region}:{account}:cluster:{cluster}"),
        // The name of a workgroup may be its ARN. Whether AWS tells that of one named by name only a real account shows.
        (None, Some(workgroup)) if workgroup.starts_with("arn:") => workgroup.clone(),
        (None, workgroup) => {
            let name = workgroup.as_deref().unwrap_or_default();
            format!("arn:aws:redshift-serverless:{region}:{account}:workgroup/{name}")
        }
    };
    let (rows, query) = match statement.sub_statements.as_slice() {
        [only] if !statement.submission.is_batch => (only.rows, only.query),
        _ => (-1, -1),
    };
    json!({
        "version": "0",
        "id": statement.id,
        "detail-type": "Redshift Data Statement Status Change",
        "source": "aws.redshift-data",
        "account": account,
        "time": time(statement.updated_at),
        "region": region,
        "resources": [resource],
        "detail": {
            "principal": format!("arn:aws:sts::{account}:assumed-role/sandbox/sandbox"),
            "statementName": statement.submission.name.as_deref().unwrap_or_default(),
            "statementId": statement.id,
            "redshiftQueryId": query,
            "state": statement.status.name(),
            "rows": rows,
            "expireAt": (statement.created_at / 1_000_000) + 24 * 3600,
        },
    })
}

/// `2020-10-01T21:14:26Z`.
fn time(micros: i64) -> String {
    let seconds = time::OffsetDateTime::from_unix_timestamp(micros.div_euclid(1_000_000));
    let format = time::macros::format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z");
    seconds.ok().and_then(|seconds| seconds.format(&format).ok()).unwrap_or_default()
}
