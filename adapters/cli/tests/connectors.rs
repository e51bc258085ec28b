//! The connectors of `golden/connectors`, each against a server that behaves as its documentation says: pages, rates, errors, and what is
//! new the second time.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod saas;
mod serve;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use saas::{APIS, Api, Row};
use serde_json::{Value, json};
use serve::{Answer, Asked, Served};

fn etalon(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_etalon")).current_dir(folder).args(arguments).output().unwrap()
}

fn manifest(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../golden/connectors").join(format!("{name}.yaml"))
}

/// A reading: its records, what was told, and whether it came to its end.
struct Ran {
    records: Vec<Value>,
    told: String,
    is_done: bool,
}

/// A folder in which streams of a connector are read.
struct Reader {
    folder: tempfile::TempDir,
    manifest: PathBuf,
    count: usize,
}

impl Reader {
    fn new(name: &str, config: &Value) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("config.json"), config.to_string()).unwrap();
        Self { folder, manifest: manifest(name), count: 0 }
    }

    /// Reads a stream after where it was read last.
    fn read(&mut self, stream: &str) -> Ran {
        self.count += 1;
        let (to, state) = (format!("{stream}-{}.jsonl", self.count), format!("{stream}.state.json"));
        let manifest = self.manifest.to_str().unwrap();
        let arguments = [
            "connector",
            "read",
            manifest,
            stream,
            "--config",
            "config.json",
            "--to",
            &to,
            "--state",
            &state,
            "--allow-private",
        ];
        let output = etalon(self.folder.path(), &arguments);
        let told = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap()).concat();
        assert!(!told.contains("hush-"), "{told}");
        let text = fs::read_to_string(self.folder.path().join(&to)).unwrap_or_default();
        Ran { records: text.lines().map(json_of).collect(), told, is_done: output.status.success() }
    }

    /// Where the readings of a stream are.
    fn state(&self, stream: &str) -> Option<String> {
        fs::read_to_string(self.folder.path().join(format!("{stream}.state.json"))).ok()
    }

    #[track_caller]
    fn all(&mut self, stream: &str) -> Vec<Value> {
        let ran = self.read(stream);
        assert!(ran.is_done, "{}", ran.told);
        ran.records
    }
}

/// The values of a field.
fn of(records: &[Value], field: &str) -> Vec<Value> {
    records.iter().map(|record| record[field].clone()).collect()
}

fn refused(why: &str) -> Answer {
    (400, json!({"message": why})).into()
}

/// An answer with a header.
fn with(status: u16, header: (&'static str, String), body: Value) -> Answer {
    Answer { status, headers: vec![header], body }
}

#[test]
fn every_stream_of_every_connector_is_read() {
    let mut streams = Vec::new();
    for entry in fs::read_dir(manifest("x").parent().unwrap()).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let output = etalon(Path::new("."), &["connector", "ls", path.to_str().unwrap(), "--output", "json"]);
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{}: {err}", path.display());
        for stream in json_of(&out).as_array().unwrap() {
            assert_eq!(
                (&stream["missing"], &stream["ignored"]),
                (&json!([]), &json!([])),
                "{}: {stream}",
                path.display()
            );
            streams.push((name.clone(), stream["stream"].as_str().unwrap().to_owned()));
        }
    }
    let mut replayed: Vec<(String, String)> = APIS
        .iter()
        .flat_map(|api| api.rows.iter().map(|row| (api.connector.to_owned(), row.stream.to_owned())))
        .collect();
    streams.sort();
    replayed.sort();
    assert_eq!(streams, replayed, "each has a row in the table of the APIs");
}

/// A stream is read from an API that is asked too often once and ill once; then some records are new; then the API takes the reader
/// for a stranger, after which the reader goes on where it was.
#[test]
fn every_stream_is_read_whole_and_then_what_is_new() {
    let threads: Vec<_> = APIS
        .iter()
        .flat_map(|api| api.rows.iter().map(move |row| (api, row)))
        .map(|(api, row)| (api.connector, row.stream, thread::spawn(move || read_thrice(api, row))))
        .collect();
    let failed: Vec<String> = threads
        .into_iter()
        .filter_map(|(connector, stream, thread)| {
            let why = thread.join().err()?;
            let why = why.downcast_ref::<String>().cloned().unwrap_or_default();
            Some(format!("{connector} {stream}: {why}"))
        })
        .collect();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

fn read_thrice(api: &'static Api, row: &'static Row) {
    let count = Arc::new(AtomicUsize::new(row.count()));
    let is_stranger = Arc::new(AtomicBool::new(false));
    let (there, strange) = (Arc::clone(&count), Arc::clone(&is_stranger));
    let ill: Answer = (503, json!({})).into();
    let mut faults = vec![ill, api.too_often()];
    let server = Served::start(move |asked, own| {
        if !api.is_of(row, asked) {
            return api.answer(row, &[], asked, own);
        }
        if strange.load(Ordering::SeqCst) {
            return api.stranger();
        }
        match faults.pop() {
            Some(fault) => fault,
            None => api.answer(row, &api.records(row, there.load(Ordering::SeqCst)), asked, own),
        }
    });
    let mut reader = Reader::new(api.connector, &api.config(&server.address));
    let known = |records: &[Value]| -> Vec<String> {
        let mut known: Vec<String> = records.iter().map(|record| api.known(record)).collect();
        known.sort();
        known
    };
    // A number or a text, as it is read.
    let names: Vec<String> = (0..row.count() + 5).map(|number| api.name(row, number)).collect();
    let named = |numbers: &[usize]| -> Vec<String> {
        let mut known: Vec<String> = numbers.iter().map(|number| names[*number].clone()).collect();
        known.sort();
        known
    };

    let all: Vec<usize> = (0..row.count()).collect();
    assert_eq!(known(&reader.all(row.stream)), named(&all), "at first");
    let asked = server.take().iter().filter(|asked| api.is_of(row, asked)).count();
    if let Some(pages) = row.pages() {
        assert_eq!(asked, pages + 2, "two requests failed");
    }

    let more = row.count() + if row.pages() == Some(1) { 0 } else { 5 };
    count.store(more, Ordering::SeqCst);
    assert_eq!(known(&reader.all(row.stream)), named(&row.second(more)), "the second time");

    is_stranger.store(true, Ordering::SeqCst);
    let state = reader.state(row.stream);
    let refused = reader.read(row.stream);
    assert!(!refused.is_done && api.is_told(&refused.told), "{}", refused.told);
    assert_eq!(reader.state(row.stream), state, "who is refused is where he was");
}

#[test]
fn github() {
    let mut rests = true;
    let server = Served::start(move |asked, own| {
        if asked.header("authorization") != "Bearer hush-1" || asked.header("x-github-api-version") != "2022-11-28" {
            return (401, json!({"message": "Bad credentials"})).into();
        }
        match (asked.path.as_str(), asked.param("page"), asked.param("since")) {
            ("/repos/a/empty/issues", ..) => (410, json!({"message": "Issues are disabled for this repo"})).into(),
            ("/repos/a/full/issues", "", _) if std::mem::take(&mut rests) => {
                let body = json!({"message": "You have exceeded a secondary rate limit"});
                with(403, ("Retry-After", "0".to_owned()), body)
            }
            ("/repos/a/full/issues", "", "2020-01-01T00:00:00Z") => {
                assert_eq!(
                    (asked.param("state"), asked.param("sort"), asked.param("per_page")),
                    ("all", "updated", "100")
                );
                let next = format!("<{own}/repos/a/full/issues?page=2>; rel=\"next\", <{own}/x>; rel=\"last\"");
                with(200, ("Link", next), json!([{"id": 1, "updated_at": "2026-01-01T00:00:00Z"}]))
            }
            ("/repos/a/full/issues", "2", _) => json!([{"id": 2, "updated_at": "2026-01-02T00:00:00Z"}]).into(),
            ("/repos/a/full/issues", "", "2026-01-02T00:00:00Z") => {
                json!([{"id": 2, "updated_at": "2026-01-03T00:00:00Z"}]).into()
            }
            _ => (404, json!({"message": "Not Found"})).into(),
        }
    });
    let config = json!({"token": "hush-1", "repositories": ["a/full", "a/empty"], "start_date": "2020-01-01T00:00:00Z", "api_url": server.address});
    let mut reader = Reader::new("github", &config);
    let records = reader.all("issues");
    assert_eq!((of(&records, "id"), &records[0]["repository"]), (vec![json!(1), json!(2)], &json!("a/full")));
    assert_eq!(of(&reader.all("issues"), "updated_at"), ["2026-01-03T00:00:00Z"]);
    let told = reader.read("commits").told;
    assert!(told.contains("/repos/a/full/commits`: HTTP 404"), "{told}");
}

#[test]
fn stripe() {
    let server = Served::start(|asked, _| {
        if asked.header("authorization") != "Bearer hush-1" {
            return (401, json!({"error": {"message": "Invalid API Key provided"}})).into();
        }
        assert_eq!(asked.param("limit"), "100");
        match (asked.path.as_str(), asked.param("created[gte]"), asked.param("starting_after")) {
            ("/v1/charges", "1577836800", "") => {
                json!({"data": [{"id": "ch_2", "created": 1_700_000_200}], "has_more": true}).into()
            }
            ("/v1/charges", "1577836800", "ch_2") => {
                json!({"data": [{"id": "ch_1", "created": 1_700_000_100}], "has_more": false}).into()
            }
            ("/v1/charges", "1700000200", "") => json!({"data": [], "has_more": false}).into(),
            _ => (404, json!({"error": {"message": "Unrecognized request URL"}})).into(),
        }
    });
    let config = json!({"secret_key": "hush-1", "start_date": "2020-01-01T00:00:00Z", "api_url": server.address});
    let mut reader = Reader::new("stripe", &config);
    assert_eq!(of(&reader.all("charges"), "id"), ["ch_2", "ch_1"]);
    assert_eq!(reader.all("charges"), [] as [Value; 0]);
    assert!(reader.read("refunds").told.contains("/v1/refunds`: HTTP 404"));
}

#[test]
fn shopify() {
    let mut count = 0;
    let server = Served::start(move |asked, own| {
        count += 1;
        if asked.header("x-shopify-access-token") != "hush-1" {
            return (401, json!({"errors": "[API] Invalid API key or access token"})).into();
        }
        if count == 1 {
            return with(429, ("Retry-After", "0".to_owned()), json!({"errors": "Exceeded 2 calls per second"}));
        }
        assert_eq!((asked.path.as_str(), asked.param("limit")), ("/admin/api/2024-10/orders.json", "250"));
        if asked.param("page_info") == "p2" {
            // Nothing but `limit` may stand beside it.
            assert_eq!(asked.query.len(), 2, "{asked:?}");
            return json!({"orders": [{"id": 2, "updated_at": "2026-01-02T10:00:00+0100"}]}).into();
        }
        assert_eq!((asked.param("status"), asked.param("order")), ("any", "updated_at asc"));
        match asked.param("updated_at_min") {
            "2020-01-01T00:00:00+0000" => {
                let next = format!("<{own}/admin/api/2024-10/orders.json?limit=250&page_info=p2>; rel=\"next\"");
                with(200, ("Link", next), json!({"orders": [{"id": 1, "updated_at": "2026-01-01T10:00:00+0100"}]}))
            }
            since => refused(since),
        }
    });
    let config = json!({"shop": "s", "access_token": "hush-1", "start_date": "2020-01-01T00:00:00+0000", "api_url": server.address});
    let mut reader = Reader::new("shopify", &config);
    assert_eq!(of(&reader.all("orders"), "id"), [1, 2]);
    server.take();
    assert!(!reader.read("orders").is_done);
    assert_eq!(server.take()[0].param("updated_at_min"), "2026-01-02T10:00:00+0100", "it begins where it ended");
}

#[test]
fn hubspot() {
    let server = Served::start(|asked, own| {
        if asked.header("authorization") != "Bearer hush-1" {
            return (401, json!({"message": "Authentication credentials not found"})).into();
        }
        assert_eq!((asked.path.as_str(), asked.param("limit")), ("/crm/v3/objects/contacts", "100"));
        match asked.param("after") {
            "" => {
                json!({"results": [{"id": "1"}], "paging": {"next": {"after": "1", "link": format!("{own}/x")}}}).into()
            }
            "1" => json!({"results": [{"id": "2"}]}).into(),
            after => refused(after),
        }
    });
    let mut reader = Reader::new("hubspot", &json!({"access_token": "hush-1", "api_url": server.address}));
    assert_eq!(of(&reader.all("contacts"), "id"), ["1", "2"]);
}

#[test]
fn salesforce() {
    let mut tokens = 0;
    let server = Served::start(move |asked, own| {
        if asked.path == "/services/oauth2/token" {
            let form = asked.form();
            let last = if tokens == 0 { "hush-0".to_owned() } else { format!("hush-r{tokens}") };
            if form["refresh_token"] != last || form["grant_type"] != "refresh_token" {
                return (400, json!({"error": "invalid_grant"})).into();
            }
            tokens += 1;
            return json!({"access_token": format!("hush-a{tokens}"), "refresh_token": format!("hush-r{tokens}"), "instance_url": own}).into();
        }
        if asked.header("authorization") != format!("Bearer hush-a{tokens}") {
            return (401, json!([{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}])).into();
        }
        let q = asked.param("q");
        if asked.path == "/services/data/v61.0/query/01g-1" && q.is_empty() {
            return json!({"done": true, "records": [{"attributes": {}, "Id": "2", "SystemModstamp": "2026-01-02T00:00:00.000+0000"}]}).into();
        }
        let since = q.split("SystemModstamp >= ").nth(1).and_then(|rest| rest.split(' ').next()).unwrap_or_default();
        assert!(
            q.starts_with("SELECT Id, SystemModstamp, Name, Industry, OwnerId, CreatedDate FROM Account WHERE"),
            "{q}"
        );
        match since {
            "2020-01-01T00:00:00Z" => json!({"done": false, "nextRecordsUrl": "/services/data/v61.0/query/01g-1", "records": [{"attributes": {}, "Id": "1", "SystemModstamp": "2026-01-01T00:00:00.000+0000"}]}).into(),
            "2026-01-02T00:00:00Z" => json!({"done": true, "records": []}).into(),
            since => refused(since),
        }
    });
    let config = json!({"instance_url": server.address, "login_url": server.address, "client_id": "hush-i", "client_secret": "hush-s", "refresh_token": "hush-0", "start_date": "2020-01-01T00:00:00Z"});
    let mut reader = Reader::new("salesforce", &config);
    assert_eq!(reader.all("accounts")[0], json!({"Id": "1", "SystemModstamp": "2026-01-01T00:00:00.000+0000"}));
    assert_eq!(reader.all("accounts"), [] as [Value; 0]);
    let logins = server.take().iter().filter(|asked| asked.path == "/services/oauth2/token").count();
    assert_eq!(logins, 1, "the token of the first reading is good still");
}

#[test]
fn slack() {
    let mut rests = true;
    let server = Served::start(move |asked, _| {
        if asked.header("authorization") != "Bearer hush-1" {
            return json!({"ok": false, "error": "invalid_auth"}).into();
        }
        if std::mem::take(&mut rests) {
            return with(429, ("Retry-After", "0".to_owned()), json!({"ok": false, "error": "ratelimited"}));
        }
        match (asked.path.as_str(), asked.param("cursor"), asked.param("channel"), asked.param("oldest")) {
            ("/api/conversations.list", "", ..) => json!({"ok": true, "channels": [{"id": "C1", "is_member": true}], "response_metadata": {"next_cursor": "n"}}).into(),
            ("/api/conversations.list", "n", ..) => json!({"ok": true, "channels": [{"id": "C2", "is_member": false}], "response_metadata": {"next_cursor": ""}}).into(),
            ("/api/conversations.history", "", "C1", "1577836800.0") => json!({"ok": true, "messages": [{"ts": "1700000000.000200", "text": "b"}, {"ts": "1700000000.000100", "text": "a"}], "has_more": false}).into(),
            ("/api/conversations.history", "", "C1", since) if since.starts_with("1700000000.0002") => json!({"ok": true, "messages": []}).into(),
            _ => json!({"ok": false, "error": "missing_scope"}).into(),
        }
    });
    let config = json!({"token": "hush-1", "start_date": "2020-01-01T00:00:00Z", "api_url": server.address});
    let mut reader = Reader::new("slack", &config);
    assert_eq!(of(&reader.all("channels"), "id"), ["C1", "C2"]);
    let messages = reader.all("messages");
    assert_eq!(
        (of(&messages, "text"), of(&messages, "channel")),
        (vec![json!("b"), json!("a")], vec![json!("C1"), json!("C1")])
    );
    assert_eq!(reader.all("messages"), [] as [Value; 0]);
    let told = reader.read("users").told;
    assert!(told.contains("HTTP 200: missing_scope"), "{told}");
}

#[test]
fn jira() {
    let server = Served::start(|asked, _| {
        // `me@x:hush-1`
        if asked.header("authorization") != "Basic bWVAeDpodXNoLTE=" {
            return (401, json!({"message": "Client must be authenticated to access this resource."})).into();
        }
        match (asked.path.as_str(), asked.param("nextPageToken"), asked.param("startAt")) {
            ("/rest/api/3/project/search", _, "") => {
                let all: Vec<Value> = (0..50).map(|id| json!({"id": id.to_string()})).collect();
                json!({"values": all, "isLast": false}).into()
            }
            ("/rest/api/3/project/search", _, "50") => json!({"values": [{"id": "50"}], "isLast": true}).into(),
            ("/rest/api/3/search/jql", "", _) => match asked.param("jql") {
                "updated >= '2020/01/01 00:00' order by updated asc" => json!({"issues": [{"id": "1", "fields": {"updated": "2026-01-01T10:00:00.000+0100"}}], "nextPageToken": "t"}).into(),
                "updated >= '2026/01/01 11:00' order by updated asc" | "updated >= '2026/01/01 10:00' order by updated asc" => json!({"issues": [{"id": "2", "fields": {"updated": "2026-01-02T11:00:00.000+0100"}}], "isLast": true}).into(),
                jql => refused(jql),
            },
            ("/rest/api/3/search/jql", "t", _) => json!({"issues": [{"id": "2", "fields": {"updated": "2026-01-02T11:00:00.000+0100"}}], "isLast": true}).into(),
            other => refused(&format!("{other:?}")),
        }
    });
    let config = json!({"site": "s", "email": "me@x", "api_token": "hush-1", "start_date": "2020-01-01T00:00:00Z", "api_url": server.address});
    let mut reader = Reader::new("jira", &config);
    assert_eq!(reader.all("projects").len(), 51);
    assert_eq!(of(&reader.all("issues"), "id"), ["1", "2"]);
    // A day before the last one.
    assert_eq!(of(&reader.all("issues"), "updated"), ["2026-01-02T11:00:00.000+0100"]);
}

#[test]
fn zendesk() {
    let server = Served::start(|asked, _| {
        // `me@x/token:hush-1`
        if asked.header("authorization") != "Basic bWVAeC90b2tlbjpodXNoLTE=" {
            return (401, json!({"error": "Couldn't authenticate you"})).into();
        }
        match (asked.path.as_str(), asked.param("cursor"), asked.param("start_time")) {
            ("/api/v2/incremental/tickets/cursor.json", "", "1577836800") => json!({"tickets": [{"id": 1, "updated_at": "2026-01-01T00:00:00Z"}], "after_cursor": "c", "end_of_stream": false}).into(),
            ("/api/v2/incremental/tickets/cursor.json", "c", "") => json!({"tickets": [{"id": 2, "updated_at": "2026-01-02T00:00:00Z"}], "after_cursor": "d", "end_of_stream": true}).into(),
            ("/api/v2/incremental/tickets/cursor.json", "", "1767312000") => json!({"tickets": [], "after_cursor": null, "end_of_stream": true}).into(),
            ("/api/v2/groups.json", ..) => match asked.param("page[after]") {
                "" => json!({"groups": [{"id": 1}], "meta": {"has_more": true, "after_cursor": "g"}}).into(),
                _ => json!({"groups": [{"id": 2}], "meta": {"has_more": false, "after_cursor": "h"}}).into(),
            },
            other => refused(&format!("{other:?}")),
        }
    });
    let config = json!({"subdomain": "s", "email": "me@x", "api_token": "hush-1", "start_date": "2020-01-01T00:00:00Z", "api_url": server.address});
    let mut reader = Reader::new("zendesk", &config);
    assert_eq!(of(&reader.all("tickets"), "id"), [1, 2]);
    assert_eq!(reader.all("tickets"), [] as [Value; 0]);
    assert_eq!(of(&reader.all("groups"), "id"), [1, 2]);
}

#[test]
fn notion() {
    let server = Served::start(|asked: &Asked, _| {
        if asked.header("authorization") != "Bearer hush-1" || asked.header("notion-version") != "2022-06-28" {
            return (401, json!({"message": "API token is invalid."})).into();
        }
        if asked.path == "/v1/users" {
            return json!({"results": [{"id": "u"}], "has_more": false, "next_cursor": null}).into();
        }
        let body = json_of(&asked.body);
        assert_eq!((asked.method.as_str(), &body["page_size"]), ("POST", &json!(100)));
        let since = body.pointer("/filter/last_edited_time/on_or_after").and_then(Value::as_str).unwrap_or_default();
        match (asked.path.as_str(), since, body["start_cursor"].as_str()) {
            ("/v1/databases/d1/query", "2020-01-01T00:00:00Z", None) => json!({"results": [{"id": "1", "last_edited_time": "2026-01-01T00:00:00.000Z"}], "has_more": true, "next_cursor": "n"}).into(),
            ("/v1/databases/d1/query", "2020-01-01T00:00:00Z", Some("n")) => json!({"results": [{"id": "2", "last_edited_time": "2026-01-02T00:00:00.000Z"}], "has_more": false, "next_cursor": null}).into(),
            ("/v1/databases/d1/query", "2026-01-02T00:00:00Z", None) => json!({"results": [], "has_more": false, "next_cursor": null}).into(),
            other => refused(&format!("{other:?}")),
        }
    });
    let config = json!({"token": "hush-1", "databases": ["d1"], "start_date": "2020-01-01T00:00:00Z", "api_url": server.address});
    let mut reader = Reader::new("notion", &config);
    let pages = reader.all("pages");
    assert_eq!((of(&pages, "id"), &pages[1]["database"]), (vec![json!("1"), json!("2")], &json!("d1")));
    assert_eq!(reader.all("pages"), [] as [Value; 0]);
    assert_eq!(of(&reader.all("users"), "id"), ["u"]);
}

/// A manifest is not trusted, and a server may say what it was told.
#[test]
fn who_reads_a_manifest_sees_no_secret() {
    let server =
        Served::start(|asked, _| (400, json!({"echo": format!("{} {}", asked.path, asked.param("key"))})).into());
    let folder = tempfile::tempdir().unwrap();
    let manifest = format!(
        "version: 1.0.0
type: DeclarativeSource
check: {{ type: CheckStream, stream_names: [things] }}
streams:
  - type: DeclarativeStream
    name: things
    retriever:
      type: SimpleRetriever
      requester:
        type: HttpRequester
        url_base: {}
        path: \"bot{{{{ config['api_key'] }}}}/x\"
        request_parameters: {{ key: \"{{{{ config['pin'] }}}}\" }}
        error_handler:
          type: DefaultErrorHandler
          response_filters:
            - {{ http_codes: [400], action: FAIL, error_message: \"{{{{ config['api_key'] }}}} is told {{{{ response.echo }}}}\" }}
      record_selector: {{ type: RecordSelector, extractor: {{ type: DpathExtractor, field_path: [items] }} }}
    schema_loader: {{ type: InlineSchemaLoader, schema: {{ type: object }} }}
spec:
  type: Spec
  connection_specification: {{ properties: {{ pin: {{ type: string, airbyte_secret: true }} }} }}
",
        server.address
    );
    fs::write(folder.path().join("m.yaml"), manifest).unwrap();
    fs::write(folder.path().join("config.json"), r#"{"api_key": "hush-key/1", "pin": "hush-pin 2"}"#).unwrap();
    let arguments =
        ["connector", "read", "m.yaml", "things", "--config", "config.json", "--to", "things.jsonl", "--allow-private"];
    let output = etalon(folder.path(), &arguments);
    let told = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap()).concat();
    assert!(!output.status.success() && told.contains("*** is told"), "{told}");
    assert!(!told.contains("hush-"), "{told}");
}

fn json_of(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn google_analytics() {
    let server = Served::start(|asked, _| {
        if asked.path == "/token" {
            return match asked.form()["refresh_token"].as_str() {
                "hush-1" => json!({"access_token": "hush-2", "expires_in": 3599}).into(),
                _ => (400, json!({"error": "invalid_grant"})).into(),
            };
        }
        if asked.header("authorization") != "Bearer hush-2" || asked.path != "/v1beta/properties/7:runReport" {
            return (401, json!({"error": {"message": "Request is missing required authentication credential."}}))
                .into();
        }
        let body = json_of(&asked.body);
        let row = |day: &str, sessions: &str| json!({"dimensionValues": [{"value": day}, {"value": "Direct"}, {"value": "France"}], "metricValues": [{"value": sessions}, {"value": "3"}]});
        let from = body.pointer("/dateRanges/0/startDate").and_then(Value::as_str).unwrap();
        match from {
            "2024-01-01" => json!({"rows": [row("20240102", "5"), row("20240103", "6")], "rowCount": 2}).into(),
            // A window without rows has none in its answer.
            _ => json!({"rowCount": 0}).into(),
        }
    });
    let config = json!({"property": "7", "client_id": "hush-i", "client_secret": "hush-s", "refresh_token": "hush-1", "token_url": format!("{}/token", server.address), "start_date": "2024-01-01", "api_url": server.address});
    let mut reader = Reader::new("google-analytics", &config);
    let records = reader.all("traffic");
    let first =
        json!({"date": "2024-01-02", "channel": "Direct", "country": "France", "sessions": 5, "total_users": 3});
    assert_eq!((records.len(), &records[0]), (2, &first));
    let asked = server.take();
    assert!(asked.len() > 20, "a window a month: {}", asked.len());
    reader.all("traffic");
    let body = json_of(&server.take().iter().find(|asked| asked.path != "/token").unwrap().body);
    // Three days before the last record, and not before the first day.
    assert_eq!((&body["dateRanges"][0]["startDate"], &body["limit"]), (&json!("2024-01-01"), &json!(10000)));
}
