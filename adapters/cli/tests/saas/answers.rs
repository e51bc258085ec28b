//! How each API makes a page of its records, and what it insists on in a request.

use serde_json::{Value, json};

use super::{Row, seconds, written};
use crate::serve::{Answer, Asked};

/// The records from a place on, so many, and whether there are more.
fn cut<T: Clone>(records: &[T], from: usize, per: usize) -> (Vec<T>, Option<usize>) {
    let to = (from + per).min(records.len());
    (records[from..to].to_vec(), (to < records.len()).then_some(to))
}

/// A place that an answer named; an empty text is the first.
fn place(text: &str) -> usize {
    if text.is_empty() { 0 } else { text.parse().unwrap() }
}

/// The records that were changed at some time or later.
fn since(records: &[Value], field: &str, from: i64) -> Vec<Value> {
    let is_new = |record: &&Value| seconds(record.pointer(field).and_then(Value::as_str).unwrap()) >= from;
    records.iter().filter(is_new).cloned().collect()
}

fn unknown(asked: &Asked) -> Answer {
    (404, json!({"message": format!("no such place: {}", asked.path)})).into()
}

pub(super) fn github_record(row: &Row, number: usize) -> Value {
    let time = written(row.at(number)) + "Z";
    match row.stream {
        "commits" => json!({"key": number, "sha": format!("{number:040x}"), "commit": {"committer": {"date": time}}}),
        _ => json!({"key": number, "id": number, "updated_at": time}),
    }
}

pub(super) fn github(row: &Row, records: &[Value], asked: &Asked, own: &str) -> Answer {
    assert_eq!(asked.header("x-github-api-version"), "2022-11-28");
    assert_eq!(asked.header("accept"), "application/vnd.github+json");
    if asked.path != row.path {
        return unknown(asked);
    }
    let found = match row.stream {
        "repositories" => return records[0].clone().into(),
        "issues" => {
            let order = ["state", "sort", "direction"].map(|name| asked.param(name));
            assert_eq!(order, ["all", "updated", "asc"]);
            since(records, "/updated_at", seconds(asked.param("since")))
        }
        "pull_requests" => {
            assert_eq!((asked.param("state"), asked.param("since")), ("all", ""));
            records.to_vec()
        }
        // The newest comes first.
        _ => since(records, "/commit/committer/date", seconds(asked.param("since"))).into_iter().rev().collect(),
    };
    let per: usize = asked.param("per_page").parse().unwrap();
    assert_eq!(per, row.per);
    let page = place(asked.param("page")).max(1);
    let (cut, next) = cut(&found, (page - 1) * per, per);
    let query: Vec<String> = asked
        .query
        .iter()
        .filter(|(name, _)| *name != "page")
        .map(|(name, value)| format!("{name}={value}&"))
        .collect();
    let at = |page: usize, rel: &str| format!("<{own}{}?{}page={page}>; rel=\"{rel}\"", asked.path, query.concat());
    let mut links = vec![at(1, "first"), at(found.len().div_ceil(per), "last")];
    links.splice(0..0, next.map(|_| at(page + 1, "next")));
    Answer { status: 200, headers: vec![("Link", links.join(", "))], body: cut.into() }
}

pub(super) fn google_analytics_record(row: &Row, number: usize) -> Value {
    let day = written(row.at(number))[..10].replace('-', "");
    let country = format!("c{number}");
    json!({"dimensionValues": [{"value": day}, {"value": "Direct"}, {"value": country}], "metricValues": [{"value": "5"}, {"value": "3"}]})
}

pub(super) fn google_analytics(row: &Row, records: &[Value], asked: &Asked, _: &str) -> Answer {
    assert_eq!((asked.method.as_str(), asked.path.as_str()), ("POST", row.path));
    let body: Value = serde_json::from_str(&asked.body).unwrap();
    assert_eq!(body["limit"], row.per);
    let day = |name: &str| body["dateRanges"][0][name].as_str().unwrap().replace('-', "");
    let (from, to) = (day("startDate"), day("endDate"));
    let is_within =
        |row: &&Value| (from.as_str()..=to.as_str()).contains(&row["dimensionValues"][0]["value"].as_str().unwrap());
    let found: Vec<Value> = records.iter().filter(is_within).cloned().collect();
    let offset = usize::try_from(body["offset"].as_u64().unwrap_or_default()).unwrap();
    let (cut, _) = cut(&found, offset.min(found.len()), row.per);
    // A window without rows has none in its answer.
    if cut.is_empty() { json!({"rowCount": 0}).into() } else { json!({"rows": cut, "rowCount": found.len()}).into() }
}

pub(super) fn hubspot_record(row: &Row, number: usize) -> Value {
    json!({"id": number.to_string(), "updatedAt": written(row.at(number)) + ".000Z", "archived": false})
}

pub(super) fn hubspot(row: &Row, records: &[Value], asked: &Asked, own: &str) -> Answer {
    assert_eq!((asked.path.as_str(), asked.param("limit")), (row.path, "100"));
    let (cut, next) = cut(records, place(asked.param("after")), row.per);
    let mut body = json!({"results": cut});
    if let Some(next) = next {
        let link = format!("{own}{}?after={next}", row.path);
        body["paging"] = json!({"next": {"after": next.to_string(), "link": link}});
    }
    body.into()
}

pub(super) fn jira_record(row: &Row, number: usize) -> Value {
    match row.stream {
        "issues" => {
            json!({"key": number, "id": number.to_string(), "fields": {"updated": written(row.at(number)) + ".000+0000"}})
        }
        "users" => json!({"key": number, "accountId": format!("a:{number}")}),
        _ => json!({"key": number, "id": number.to_string()}),
    }
}

pub(super) fn jira(row: &Row, records: &[Value], asked: &Asked, _: &str) -> Answer {
    assert_eq!((asked.path.as_str(), asked.param("maxResults")), (row.path, row.per.to_string().as_str()));
    match row.stream {
        "issues" => {
            let jql = asked.param("jql");
            let from =
                jql.strip_prefix("updated >= '").and_then(|rest| rest.strip_suffix("' order by updated asc")).unwrap();
            let found = since(records, "/fields/updated", seconds(from));
            let (cut, next) = cut(&found, place(asked.param("nextPageToken")), row.per);
            let mut body = json!({"issues": cut, "isLast": next.is_none()});
            if let Some(next) = next {
                body["nextPageToken"] = next.to_string().into();
            }
            body.into()
        }
        "users" => cut(records, place(asked.param("startAt")), row.per).0.into_iter().collect::<Value>().into(),
        _ => {
            let (cut, next) = cut(records, place(asked.param("startAt")), row.per);
            json!({"values": cut, "isLast": next.is_none(), "total": records.len()}).into()
        }
    }
}

pub(super) fn notion_record(row: &Row, number: usize) -> Value {
    json!({"object": "page", "id": format!("p-{number}"), "last_edited_time": written(row.at(number)) + ".000Z"})
}

pub(super) fn notion(row: &Row, records: &[Value], asked: &Asked, _: &str) -> Answer {
    assert_eq!((asked.path.as_str(), asked.header("notion-version")), (row.path, "2022-06-28"));
    let (size, cursor, found) = if row.stream == "users" {
        assert_eq!(asked.method, "GET");
        (place(asked.param("page_size")), asked.param("start_cursor").to_owned(), records.to_vec())
    } else {
        assert_eq!(asked.method, "POST");
        let body: Value = serde_json::from_str(&asked.body).unwrap();
        let size = usize::try_from(body["page_size"].as_u64().unwrap()).unwrap();
        let cursor = body.get("start_cursor").map_or("", |cursor| cursor.as_str().unwrap()).to_owned();
        let found = if row.stream == "pages" {
            assert_eq!(body["sorts"], json!([{"timestamp": "last_edited_time", "direction": "ascending"}]));
            assert_eq!(body["filter"]["timestamp"], "last_edited_time");
            since(
                records,
                "/last_edited_time",
                seconds(body["filter"]["last_edited_time"]["on_or_after"].as_str().unwrap()),
            )
        } else {
            assert_eq!(body["filter"], json!({"property": "object", "value": "database"}));
            records.to_vec()
        };
        (size, cursor, found)
    };
    assert_eq!(size, row.per);
    let (cut, next) = cut(&found, place(cursor.trim_start_matches("c-")), row.per);
    json!({"object": "list", "results": cut, "has_more": next.is_some(), "next_cursor": next.map(|next| format!("c-{next}"))}).into()
}

pub(super) fn salesforce_record(row: &Row, number: usize) -> Value {
    let time = written(row.at(number)) + ".000+0000";
    json!({"attributes": {"type": "Account"}, "Id": format!("001{number:015}"), "SystemModstamp": time, "Name": "n"})
}

pub(super) fn salesforce(row: &Row, records: &[Value], asked: &Asked, _: &str) -> Answer {
    let object = match row.stream {
        "accounts" => "Account",
        "contacts" => "Contact",
        "leads" => "Lead",
        "opportunities" => "Opportunity",
        _ => "User",
    };
    let (from, start) = match asked.path.strip_prefix(row.path).unwrap() {
        "" => {
            let (fields, rest) =
                asked.param("q").split_once(&format!(" FROM {object} WHERE SystemModstamp >= ")).unwrap();
            assert!(fields.starts_with("SELECT Id, SystemModstamp, "), "{fields}");
            (seconds(rest.strip_suffix(" ORDER BY SystemModstamp").unwrap()), 0)
        }
        // The rest of a result has an address of its own, which takes no question.
        rest => {
            assert!(asked.query.is_empty(), "{asked:?}");
            let (from, start) = rest.strip_prefix("/01g").and_then(|rest| rest.split_once('-')).unwrap();
            (from.parse().unwrap(), place(start))
        }
    };
    let found = since(records, "/SystemModstamp", from);
    let (cut, next) = cut(&found, start, row.per);
    let mut body = json!({"totalSize": found.len(), "done": next.is_none(), "records": cut});
    if let Some(next) = next {
        body["nextRecordsUrl"] = format!("{}/01g{from}-{next}", row.path).into();
    }
    body.into()
}

pub(super) fn shopify_record(row: &Row, number: usize) -> Value {
    json!({"id": number, "updated_at": written(row.at(number)) + "+00:00"})
}

pub(super) fn shopify(row: &Row, records: &[Value], asked: &Asked, own: &str) -> Answer {
    assert_eq!((asked.path.as_str(), asked.param("limit")), (row.path, "250"));
    let info = asked.param("page_info");
    let (from, start) = if info.is_empty() {
        assert_eq!((asked.param("order"), asked.param("status") == "any"), ("updated_at asc", row.stream == "orders"));
        (seconds(asked.param("updated_at_min")), 0)
    } else {
        // Nothing but `limit` may stand beside it.
        assert_eq!(asked.query.len(), 2, "{asked:?}");
        let (from, start) = info.split_once('-').unwrap();
        (from.parse().unwrap(), place(start))
    };
    let found = since(records, "/updated_at", from);
    let (cut, next) = cut(&found, start, row.per);
    let at = |place: usize, rel: &str| format!("<{own}{}?limit=250&page_info={from}-{place}>; rel=\"{rel}\"", row.path);
    let previous = (start > 0).then(|| at(start.saturating_sub(row.per), "previous"));
    let links: Vec<String> = previous.into_iter().chain(next.map(|next| at(next, "next"))).collect();
    let headers = if links.is_empty() { Vec::new() } else { vec![("Link", links.join(", "))] };
    Answer { status: 200, headers, body: json!({ row.stream: cut }) }
}

pub(super) fn slack_record(row: &Row, number: usize) -> Value {
    match row.stream {
        "messages" => json!({"key": number, "type": "message", "ts": format!("{}.000100", row.at(number))}),
        _ => json!({"key": number, "id": format!("C{number}"), "is_member": false}),
    }
}

pub(super) fn slack(row: &Row, records: &[Value], asked: &Asked, _: &str) -> Answer {
    assert_eq!(asked.param("limit"), "200");
    let told = |name: &str, records: Vec<Value>, next: Option<usize>| -> Answer {
        let next = next.map(|next| next.to_string()).unwrap_or_default();
        json!({"ok": true, name: records, "response_metadata": {"next_cursor": next}}).into()
    };
    let start = place(asked.param("cursor"));
    match (asked.path.as_str(), row.stream) {
        // The channels that messages are in.
        ("/api/conversations.list", "messages") => told(
            "channels",
            vec![json!({"id": "C1", "is_member": true}), json!({"id": "C2", "is_member": false})],
            None,
        ),
        ("/api/conversations.list", "channels") => {
            assert_eq!(asked.param("types"), "public_channel");
            let (cut, next) = cut(records, start, row.per);
            told("channels", cut, next)
        }
        ("/api/users.list", "users") => {
            let (cut, next) = cut(records, start, row.per);
            told("members", cut, next)
        }
        ("/api/conversations.history", "messages") => {
            assert_eq!(asked.param("channel"), "C1", "the app is in no other");
            let time = |text: &str| text.parse::<f64>().unwrap();
            let (from, to) = (time(asked.param("oldest")), time(asked.param("latest")));
            let is_within = |record: &&Value| {
                let at = time(record["ts"].as_str().unwrap());
                from < at && at < to
            };
            // The newest comes first.
            let found: Vec<Value> = records.iter().filter(is_within).rev().cloned().collect();
            let (cut, next) = cut(&found, start, row.per);
            told("messages", cut, next)
        }
        _ => json!({"ok": false, "error": "unknown_method"}).into(),
    }
}

pub(super) fn stripe_record(row: &Row, number: usize) -> Value {
    json!({"id": format!("id_{number}"), "created": row.at(number)})
}

pub(super) fn stripe(row: &Row, records: &[Value], asked: &Asked, _: &str) -> Answer {
    assert_eq!((asked.path.as_str(), asked.param("limit")), (row.path, "100"));
    let bound = |name: &str| asked.param(name).parse::<i64>().unwrap();
    let (from, to) = (bound("created[gte]"), bound("created[lte]"));
    let is_within = |record: &&Value| (from..=to).contains(&record["created"].as_i64().unwrap());
    // The newest comes first.
    let found: Vec<Value> = records.iter().filter(is_within).rev().cloned().collect();
    let start = match asked.param("starting_after") {
        "" => 0,
        last => found.iter().position(|record| record["id"] == last).unwrap() + 1,
    };
    let (cut, next) = cut(&found, start, row.per);
    json!({"object": "list", "data": cut, "has_more": next.is_some()}).into()
}

pub(super) fn zendesk_record(row: &Row, number: usize) -> Value {
    json!({"id": number, "updated_at": written(row.at(number)) + "Z"})
}

pub(super) fn zendesk(row: &Row, records: &[Value], asked: &Asked, _: &str) -> Answer {
    assert_eq!(asked.path, row.path);
    if row.per == 1000 {
        assert_eq!(asked.param("per_page"), "1000");
        let (from, start) = match asked.param("cursor") {
            "" => (asked.param("start_time").parse().unwrap(), 0),
            cursor => {
                assert_eq!(asked.param("start_time"), "", "a cursor stands alone");
                let (from, start) = cursor.split_once('-').unwrap();
                (from.parse().unwrap(), place(start))
            }
        };
        let found = since(records, "/updated_at", from);
        let (cut, next) = cut(&found, start, row.per);
        // The last page names a cursor too, with which the next export may begin.
        let cursor = format!("{from}-{}", next.unwrap_or(found.len()));
        return json!({ row.stream: cut, "after_cursor": cursor, "end_of_stream": next.is_none() }).into();
    }
    assert_eq!(asked.param("page[size]"), "100");
    let (cut, next) = cut(records, place(asked.param("page[after]")), row.per);
    let meta = json!({"has_more": next.is_some(), "after_cursor": next.map(|next| next.to_string())});
    json!({ row.stream: cut, "meta": meta }).into()
}
