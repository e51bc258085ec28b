//! Wire: what a request must be, and what an answer is.

use std::sync::{Arc, mpsc};
use std::time::Duration;

use etalon_sandbox::redshift::Behaviour;
use serde_json::{Value, json};

use crate::api::Api;
use crate::{Cloud, Test};

pub(crate) const TESTS: &[Test] = &[
    ("a_statement_runs_and_gives_its_rows", a_statement_runs_and_gives_its_rows),
    ("an_answer_has_the_headers_of_the_service", an_answer_has_the_headers_of_the_service),
    ("a_batch_is_one_transaction", a_batch_is_one_transaction),
    ("insert_shares_a_table_and_update_wants_it_alone", insert_shares_a_table_and_update_wants_it_alone),
    ("an_end_is_told_to_who_asked_for_it", an_end_is_told_to_who_asked_for_it),
];

fn a_statement_runs_and_gives_its_rows(cloud: &Cloud) {
    let api = Api::new(cloud);
    let id = api.submit(
        "SELECT 1 AS one, CAST(:a AS bigint) AS two, NULL AS three, TRUE, 1.50, CAST(0.5 AS float8), 'x'::varchar(3), \
         CAST('2026-01-31 12:00:00' AS timestamp)",
        json!({ "Parameters": [{ "name": "a", "value": "7" }], "StatementName": "s" }),
    );
    let ended = api.ended(&id);
    assert_eq!(ended["Status"], "FINISHED", "{ended}");
    assert_eq!((&ended["ResultRows"], &ended["HasResultSet"]), (&json!(1), &json!(true)));
    assert!(ended["CreatedAt"].is_f64() && ended["Duration"].as_i64().unwrap() > 0, "{ended}");
    let result = api.call("GetStatementResult", &json!({ "Id": id })).unwrap();
    assert_eq!(
        result["Records"],
        json!([[
            { "longValue": 1 }, { "longValue": 7 }, { "isNull": true }, { "booleanValue": true },
            { "stringValue": "1.50" }, { "doubleValue": 0.5 }, { "stringValue": "x" },
            { "stringValue": "2026-01-31 12:00:00.0" }
        ]])
    );
    let types: Vec<&str> = result["ColumnMetadata"]
        .as_array()
        .unwrap()
        .iter()
        .map(|column| column["typeName"].as_str().unwrap())
        .collect();
    assert_eq!(types, ["int4", "int8", "varchar", "bool", "numeric", "float8", "varchar", "timestamp"]);
}

fn insert_shares_a_table_and_update_wants_it_alone(cloud: &Cloud) {
    let api = Api::new(cloud);
    api.done("CREATE TABLE shared (id bigint)");
    // Both have inserted before one of them goes on.
    api.data.script(Behaviour::on("pause").delay(Duration::from_millis(500))).unwrap();
    let both = |last: &str| {
        let sqls = ["INSERT INTO shared VALUES (1)", "SELECT 1 AS pause", last];
        let ids: Vec<String> = (0..2).map(|_| api.submit_batch(&sqls, json!({}))).collect();
        let mut ended: Vec<Value> = ids.iter().map(|id| api.ended(id)["Status"].clone()).collect();
        ended.sort_by_key(Value::to_string);
        ended
    };
    assert_eq!(both("INSERT INTO shared VALUES (2)"), ["FINISHED", "FINISHED"]);
    // No row is changed, and each waits for the other's end.
    assert_eq!(both("UPDATE shared SET id = 3 WHERE id = 4"), ["FAILED", "FINISHED"]);
    assert_eq!(both("DELETE FROM shared WHERE id = 4"), ["FAILED", "FINISHED"]);
    // A temporary table is nobody else's.
    let own = ["CREATE TEMPORARY TABLE own (id bigint)", "INSERT INTO own VALUES (1)", "SELECT 1 AS pause"];
    let own = [&own[..], &["UPDATE own SET id = 2"]].concat();
    let ids: Vec<String> = (0..2).map(|_| api.submit_batch(&own, json!({}))).collect();
    assert!(ids.iter().all(|id| api.ended(id)["Status"] == "FINISHED"));
}

fn an_answer_has_the_headers_of_the_service(cloud: &Cloud) {
    let api = Api::new(cloud);
    let (status, head, body) =
        api.raw("DescribeStatement", r#"{"Id":"00000000-0000-0000-0000-000000000000"}"#).unwrap();
    assert_eq!(status, 400);
    assert!(head.contains("content-type: application/x-amz-json-1.1"), "{head}");
    assert!(
        head.contains("x-amzn-requestid: ") && head.contains("x-amzn-errortype: resourcenotfoundexception"),
        "{head}"
    );
    assert_eq!(
        body,
        json!({
            "__type": "ResourceNotFoundException",
            "Message": "Query does not exist.",
            "ResourceId": "00000000-0000-0000-0000-000000000000",
        })
    );
}

fn a_batch_is_one_transaction(cloud: &Cloud) {
    let api = Api::new(cloud);
    let id = api.submit_batch(
        &["CREATE TABLE t (a integer)", "INSERT INTO t (a) VALUES (1), (2)", "SELECT a FROM t ORDER BY a"],
        json!({}),
    );
    let ended = api.ended(&id);
    assert_eq!(ended["Status"], "FINISHED", "{ended}");
    assert_eq!(api.result(&format!("{id}:3")), [[json!(1)], [json!(2)]]);
    let rows: Vec<&Value> = ended["SubStatements"].as_array().unwrap().iter().map(|sub| &sub["ResultRows"]).collect();
    assert_eq!(rows, [&json!(0), &json!(2), &json!(2)]);

    let id = api.submit_batch(&["DELETE FROM t", "SELECT 1 / 0", "SELECT 1"], json!({}));
    let ended = api.ended(&id);
    let told: Vec<&Value> = ended["SubStatements"].as_array().unwrap().iter().map(|sub| &sub["Status"]).collect();
    assert_eq!(told, ["FINISHED", "FAILED", "ABORTED"]);
    assert_eq!((&ended["Status"], &ended["Error"]), (&json!("FAILED"), &json!("ERROR: division by zero")));
    assert_eq!(api.rows("SELECT count(*) FROM t"), [[json!(2)]]);

    let id =
        api.submit_batch(&["DELETE FROM t", "SELECT 1 / 0", "SELECT 1"], json!({ "ExecutionMode": "AUTO_COMMIT" }));
    let ended = api.ended(&id);
    let told: Vec<&Value> = ended["SubStatements"].as_array().unwrap().iter().map(|sub| &sub["Status"]).collect();
    assert_eq!(told, ["FINISHED", "FAILED", "FINISHED"]);
    assert_eq!(ended["Status"], "FAILED");
    assert_eq!(api.rows("SELECT count(*) FROM t"), [[json!(0)]]);
}

fn an_end_is_told_to_who_asked_for_it(cloud: &Cloud) {
    let (told, events) = mpsc::channel();
    let api = Api::with(cloud, |config| {
        config.events = Some(Arc::new(move |event: Value| told.send(event).unwrap()));
    });
    api.data.script(Behaviour::on("'slow'").abort()).unwrap();
    api.done("SELECT 1");
    for (sql, state, rows) in
        [("SELECT 1", "FINISHED", 1), ("SELECT 1 / 0", "FAILED", -1), ("SELECT 'slow'", "ABORTED", -1)]
    {
        let id = api.submit(sql, json!({ "WithEvent": true, "StatementName": "load 7" }));
        // Whoever asked for none is not heard of.
        let event = events.recv_timeout(Duration::from_secs(60)).unwrap();
        let ended = api.ended(&id);
        assert_eq!(ended["Status"], state);
        assert_eq!(event["detail-type"], "Redshift Data Statement Status Change");
        assert_eq!(event["source"], "aws.redshift-data");
        let detail = &event["detail"];
        assert_eq!((&detail["statementId"], &detail["statementName"]), (&json!(id), &json!("load 7")));
        assert_eq!((&detail["state"], &detail["rows"]), (&json!(state), &json!(rows)), "{event}");
        // The words of an error stand nowhere in it.
        assert!(!event.to_string().contains("division"), "{event}");
    }
    assert!(events.try_recv().is_err());
}
