//! An API in a few lines: each way to prove who asks, each way to page, and what is done about errors, against a server that says what
//! it was asked; and the example of the guide.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod serve;

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use serve::{Answer, Asked, Served};

/// A folder with a pipeline whose source says this below `url`.
fn folder(http: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let file = format!(
        "etalon: 1
pipeline: shop
source:
  http:
    url: ${{URL}}/orders
{http}
  fields: {{ id: bigint, at: date }}
columns: {{ id: bigint required, at: }}
target: {{ table: orders, write: merge, key: id }}
"
    );
    fs::write(folder.path().join("p.yaml"), file).unwrap();
    folder
}

/// Runs the command with the address of the server and secrets; gives both outputs, which tell none of the secrets.
#[track_caller]
fn etalon(folder: &Path, server: &Served, arguments: &[&str], code: i32) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_etalon"));
    command.current_dir(folder).args(arguments).env("URL", &server.address).env("TOKEN", "hush-1").env("KEY", "hush-2");
    let output = command.output().unwrap();
    let told = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap()).concat();
    assert_eq!(output.status.code(), Some(code), "{arguments:?}\n{told}");
    assert!(!told.contains("hush-"), "{told}");
    told
}

/// What the warehouse has, as CSV.
#[track_caller]
fn query(folder: &Path, select: &str) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_etalon"));
    let output = command.current_dir(folder).args(["query", "p.yaml", select, "--output", "csv"]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[track_caller]
fn ids(folder: &Path) -> Vec<String> {
    query(folder, "select id from orders order by id").lines().skip(1).map(ToOwned::to_owned).collect()
}

/// The records from one on, so many.
fn orders(from: u64, count: u64) -> Value {
    (from..from + count).map(|id| json!({"id": id, "at": "2026-01-05"})).collect()
}

/// Whether what was asked is as it should be.
type Judge = fn(&Asked) -> bool;

#[test]
fn each_way_to_prove_who_asks_is_taken() {
    let cases: [(&str, Judge); 4] = [
        ("bearer: '${TOKEN}'", |asked| asked.header("authorization") == "Bearer hush-1"),
        // `us:hush-1`
        ("basic: { user: us, password: '${TOKEN}' }", |asked| asked.header("authorization") == "Basic dXM6aHVzaC0x"),
        ("api_key: { header: X-Key, value: '${TOKEN}' }", |asked| asked.header("x-key") == "hush-1"),
        ("api_key: { query: key, value: '${TOKEN}' }", |asked| asked.param("key") == "hush-1"),
    ];
    for (auth, is_proved) in cases {
        let server = Served::start(move |asked, _| match is_proved(asked) {
            true => orders(1, 2).into(),
            false => (401, json!({"error": "who?"})).into(),
        });
        let folder = folder(&format!("    auth: {{ {auth} }}"));
        etalon(folder.path(), &server, &["run", "p.yaml"], 0);
        assert_eq!(ids(folder.path()), ["1", "2"], "{auth}");
    }
}

#[test]
fn a_token_is_got_for_the_client() {
    let server = Served::start(|asked, _| match asked.path.as_str() {
        "/token" => {
            let form = asked.form();
            assert_eq!(form["scope"], "orders:read all");
            let is_client = form["client_id"] == "hush-1" && form["client_secret"] == "hush-2";
            match is_client && form["grant_type"] == "client_credentials" {
                true => json!({"access_token": "hush-3", "expires_in": 3600}).into(),
                false => (400, json!({})).into(),
            }
        }
        _ if asked.header("authorization") == "Bearer hush-3" => orders(1, 2).into(),
        _ => (401, json!({})).into(),
    });
    let folder = folder(
        "    auth: { oauth2: { token_url: '${URL}/token', client_id: '${TOKEN}', client_secret: '${KEY}', scopes: ['orders:read', all] } }",
    );
    etalon(folder.path(), &server, &["run", "p.yaml"], 0);
    assert_eq!(ids(folder.path()), ["1", "2"]);
    assert!(!folder.path().join(".etalon/tokens").exists(), "such a token is not kept");
}

/// The server gives a new refresh token for each, and takes no token twice.
#[test]
fn a_refresh_token_that_is_renewed_is_kept_for_every_verb_and_every_table() {
    let mut next = 0;
    let server = Served::start(move |asked, _| match asked.path.as_str() {
        "/token" => {
            let refresh = asked.form()["refresh_token"].clone();
            let wanted = if next == 0 { "hush-1".to_owned() } else { format!("hush-refresh-{next}") };
            if refresh != wanted {
                return (400, json!({"error": format!("{refresh} was used")})).into();
            }
            next += 1;
            let (access, refresh) = (format!("hush-access-{next}"), format!("hush-refresh-{next}"));
            // It ends at once: each command needs a new one.
            json!({"access_token": access, "refresh_token": refresh, "expires_in": -1}).into()
        }
        _ if asked.header("authorization") == format!("Bearer hush-access-{next}") => orders(1, 2).into(),
        _ => (401, json!({})).into(),
    });
    let folder = folder(
        "    auth: { oauth2: { token_url: '${URL}/token', client_id: us, client_secret: '${KEY}', refresh_token: '${TOKEN}' } }",
    );
    let at = folder.path();
    etalon(at, &server, &["preview", "p.yaml"], 0);
    etalon(at, &server, &["run", "p.yaml"], 0);
    etalon(at, &server, &["run", "p.yaml", "--to", "other.db"], 0);
    let text = fs::read_to_string(at.join("p.yaml")).unwrap().replace("table: orders", "table: others");
    fs::write(at.join("p.yaml"), text).unwrap();
    etalon(at, &server, &["run", "p.yaml"], 0);
    let told = etalon(at, &server, &["check", "p.yaml", "--connect"], 0);
    assert!(
        told.contains("connected: the first page has 2 records\nfield `at`: text\nfield `id`: integer\n"),
        "{told}"
    );
    let asked = server.take();
    assert_eq!(asked.iter().filter(|asked| asked.path == "/token").count(), 5);
    // They lie in one place, and nowhere else.
    let kept: Vec<_> = fs::read_dir(at.join(".etalon/tokens")).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(kept.len(), 1);
    assert!(fs::read_to_string(&kept[0]).unwrap().contains("hush-refresh-5"));
    no_secret_is_kept(at, &kept[0]);
}

/// Nothing below a folder tells a secret, but one file.
fn no_secret_is_kept(folder: &Path, except: &Path) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            no_secret_is_kept(&path, except);
        } else if path != except {
            let bytes = fs::read(&path).unwrap();
            assert!(!bytes.windows(5).any(|window| window == b"hush-"), "{} tells a secret", path.display());
        }
    }
}

#[test]
fn each_way_to_page_is_taken() {
    type Page = fn(&Asked, &str) -> Answer;
    let cases: [(&str, Page, &str); 5] = [
        (
            "    records: data\n    paging: { next: links.next }",
            |asked, own| match asked.param("p") {
                "" => json!({"data": orders(1, 2), "links": {"next": format!("{own}/orders?p=2")}}).into(),
                "2" => json!({"data": orders(3, 2), "links": {"next": null}}).into(),
                other => (400, json!({"p": other})).into(),
            },
            "next",
        ),
        (
            "    paging: { link: next }",
            |asked, own| match asked.param("p") {
                "" => Answer {
                    status: 200,
                    headers: vec![(
                        "Link",
                        format!("<{own}/orders?p=1>; rel=\"first\", <{own}/orders?p=2>; rel=\"next\""),
                    )],
                    body: orders(1, 2),
                },
                _ => orders(3, 2).into(),
            },
            "link",
        ),
        (
            "    records: data\n    paging: { cursor: { from: meta.next, param: after } }",
            |asked, _| match asked.param("after") {
                "" => json!({"data": orders(1, 2), "meta": {"next": "b"}}).into(),
                "b" => json!({"data": orders(3, 2), "meta": {}}).into(),
                other => (400, json!({"after": other})).into(),
            },
            "cursor",
        ),
        (
            "    paging: { page: { param: page, first: 0, size: 3, size_param: n } }",
            |asked, _| match (asked.param("page"), asked.param("n")) {
                ("0", "3") => orders(1, 3).into(),
                ("1", "3") => orders(4, 1).into(),
                other => (400, json!({"other": format!("{other:?}")})).into(),
            },
            "page",
        ),
        (
            "    paging: { offset: { param: skip, size: 2 } }",
            |asked, _| match asked.param("skip") {
                "0" => orders(1, 2).into(),
                "2" => orders(3, 2).into(),
                "4" => json!([]).into(),
                other => (400, json!({"skip": other})).into(),
            },
            "offset",
        ),
    ];
    for (http, page, name) in cases {
        let server = Served::start(page);
        let folder = folder(http);
        etalon(folder.path(), &server, &["run", "p.yaml"], 0);
        assert_eq!(ids(folder.path()), ["1", "2", "3", "4"], "{name}");
        let asked = server.take();
        assert_eq!(asked.len(), if name == "offset" { 3 } else { 2 }, "{name}: {asked:?}");
    }
}

#[test]
fn each_way_to_write_an_answer_is_read() {
    let cases = [
        ("format: jsonl", "{\"id\": 1, \"at\": \"2026-01-05\"}\n{\"id\": 2, \"at\": null}\n"),
        ("format: csv", "id,at\n1,2026-01-05\n2,\n"),
        (
            "format: xml\n    records: orders.order",
            "<orders><order id='x'><id>1</id><at>2026-01-05</at></order><order><id>2</id></order></orders>",
        ),
    ];
    for (format, body) in cases {
        let server = Served::start(move |asked, _| match asked.param("page") {
            "1" => Value::from(body).into(),
            _ => Value::from(if body.starts_with('<') { "<orders/>" } else { "" }).into(),
        });
        let folder = folder(&format!("    {format}\n    paging: {{ page: {{ param: page }} }}"));
        etalon(folder.path(), &server, &["run", "p.yaml"], 0);
        let found = query(folder.path(), "select id, at from orders order by id");
        assert_eq!(found, "id,at\n1,2026-01-05\n2,\n", "{format}");
    }
}

#[test]
fn what_a_format_has_no_place_for_is_refused() {
    let server = Served::start(|_, _| json!([]).into());
    for (http, told) in [
        ("    format: csv\n    records: data", "the records of separated values are their rows"),
        ("    format: xml", "an answer of XML is one element"),
        ("    format: jsonl\n    paging: { next: links.next }", "has no place beside them that names the next page"),
        ("    format: csv\n    paging: { cursor: { from: next, param: p } }", "write `link`, `page` or `offset`"),
        ("    format: yaml", "E108"),
    ] {
        let folder = folder(http);
        let said = etalon(folder.path(), &server, &["check", "p.yaml"], 2);
        assert!(said.contains(told), "{http}: {said}");
    }
    let folder = folder("    format: csv\n    paging: { link: next }");
    etalon(folder.path(), &server, &["check", "p.yaml"], 0);
}

#[test]
fn a_body_headers_and_what_is_new_are_asked_for() {
    let server = Served::start(|asked, _| {
        let body: Value = serde_json::from_str(&asked.body).unwrap();
        let is_asked = asked.method == "POST" && asked.header("x-team") == "a" && body == json!({"status": "open"});
        match (is_asked, asked.param("since")) {
            (true, "2026-01-01" | "2026-01-05") => orders(1, 2).into(),
            (_, since) => (400, json!({"since": since})).into(),
        }
    });
    let folder = folder(
        "    method: POST\n    headers: { X-Team: a }\n    body: { status: open }\n    incremental: { field: at, since: 2026-01-01, param: since, format: date }",
    );
    for _ in 0..2 {
        etalon(folder.path(), &server, &["run", "p.yaml"], 0);
    }
    let since: Vec<String> = server.take().iter().map(|asked| asked.param("since").to_owned()).collect();
    assert_eq!(since, ["2026-01-01", "2026-01-05"]);
}

#[test]
fn a_server_that_rests_is_asked_again_and_what_is_not_there_is_passed_over() {
    let mut count = 0;
    let server = Served::start(move |_, _| {
        count += 1;
        match count {
            1 => Answer { status: 429, headers: vec![("Retry-After", "0".to_owned())], body: json!({}) },
            _ => orders(1, 2).into(),
        }
    });
    let resting = folder("    rate: 100 per second");
    etalon(resting.path(), &server, &["run", "p.yaml"], 0);
    assert_eq!((ids(resting.path()).len(), server.take().len()), (2, 2));

    let gone = Served::start(|_, _| (404, json!({"message": "no orders"})).into());
    let ignoring = folder("    errors: { ignore: [404] }");
    etalon(ignoring.path(), &gone, &["run", "p.yaml"], 0);
    let failing = folder("");
    let told = etalon(failing.path(), &gone, &["run", "p.yaml"], 3);
    assert!(told.contains("HTTP 404"), "{told}");
}

/// What the server says is wrong with a question is told with the beginning of what it says, and not asked again.
#[test]
fn an_answer_that_nothing_says_what_to_do_about_ends_the_reading() {
    for status in [409, 418, 422] {
        let server = Served::start(move |asked, _| {
            (status, json!({"why": format!("no {}\n", asked.param("key")), "more": "y".repeat(5000)})).into()
        });
        let folder = folder("    auth: { api_key: { query: key, value: '${TOKEN}' } }");
        let told = etalon(folder.path(), &server, &["run", "p.yaml"], 3);
        assert!(told.contains(&format!("HTTP {status}")) && told.contains("no ***") && told.contains("yyy"), "{told}");
        assert!(told.len() < 4000 && server.take().len() == 1, "{told}");
    }
}

/// The file that the guide shows, with another address.
#[test]
fn the_example_of_the_guide_runs() {
    let guide = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/guide/connectors.md")).unwrap();
    let block = guide.split("```yaml orders.yaml\n").nth(1).unwrap().split("```").next().unwrap();
    let address = "https://api.example.com/v1/orders";
    assert!(block.contains(address), "{block}");
    let server = Served::start(|asked, _| {
        let is_asked = asked.path == "/orders" && asked.header("authorization") == "Bearer hush-1";
        let all: Vec<Value> = (1..=3)
            .map(|id| json!({"id": id, "total": 7.5, "updated_at": format!("2026-01-0{id}T10:00:00Z")}))
            .filter(|order| order["updated_at"].as_str().unwrap() >= asked.param("updated_since"))
            .collect();
        match (is_asked, asked.param("page"), asked.param("per_page")) {
            (true, "1", "100") => json!({"data": all}).into(),
            other => (400, json!({"other": format!("{other:?}")})).into(),
        }
    });
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("p.yaml"), block.replace(address, &format!("{}/orders", server.address))).unwrap();
    let rows = |expected: &str| {
        etalon(folder.path(), &server, &["run", "p.yaml"], 0);
        let select = "select count(*), sum(total), min(updated_at) from orders";
        let out = query(folder.path(), select);
        assert!(out.contains(expected), "{out}");
    };
    rows("3,22.5");
    server.take();
    rows("3,22.5");
    // An hour before the last record that came.
    assert_eq!(server.take()[0].param("updated_since"), "2026-01-03T09:00:00Z");
}

#[test]
fn connecting_says_what_the_first_page_has() {
    let server = Served::start(|_, _| {
        json!([{"id": 1, "total": 1.5, "tags": ["a"]}, {"id": 2, "total": null, "note": "x"}]).into()
    });
    let folder = folder("");
    let told = etalon(folder.path(), &server, &["check", "p.yaml", "--connect"], 0);
    let expected = "p.yaml: valid
connected: the first page has 2 records
field `id`: integer
field `note`: text, in 1 of 2; the file declares no such field
field `tags`: list, in 1 of 2; the file declares no such field
field `total`: decimal or null; the file declares no such field
field `at`: in none of 2
";
    assert!(told.contains(expected), "{told}");
    assert!(!folder.path().join(".etalon").exists());
    let file = folder.path().join("p.yaml");
    let files = fs::read_to_string(&file)
        .unwrap()
        .replace("  http:\n    url: ${URL}/orders\n", "  files: a.csv\n  format: csv\n");
    fs::write(&file, files).unwrap();
    let told = etalon(folder.path(), &server, &["check", "p.yaml", "--connect"], 3);
    assert!(told.contains("the source is `files`, and --connect asks an API or a database"), "{told}");
}
