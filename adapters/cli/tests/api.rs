//! Pipelines whose source is an API, against a server of a few lines: they are checked with their manifest, run, and looked at; and
//! no secret of theirs is anywhere afterwards.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod command;

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use command::{done, etalon, json};
use serde_json::{Value, json};

const SECRET: &str = "hush/hush+1";

const MANIFEST: &str = r#"
version: 6.0.0
type: DeclarativeSource
check: { type: CheckStream, stream_names: [orders] }
definitions:
  requester:
    type: HttpRequester
    url_base: "{{ config['url'] }}"
    authenticator: { type: BearerAuthenticator, api_token: "{{ config['token'] }}" }
    error_handler:
      type: DefaultErrorHandler
      backoff_strategies: [ { type: ConstantBackoffStrategy, backoff_time_in_seconds: 0.01 } ]
      response_filters:
        - { http_codes: [403], action: FAIL, error_message: "{{ response['error'] }}" }
  selector: { type: RecordSelector, extractor: { type: DpathExtractor, field_path: [data] } }
  pages:
    type: DefaultPaginator
    page_size_option: { type: RequestOption, inject_into: request_parameter, field_name: size }
    page_token_option: { type: RequestOption, inject_into: request_parameter, field_name: page }
    pagination_strategy: { type: PageIncrement, page_size: "{{ config['page_size'] }}", start_from_page: 1, inject_on_first_request: true }
streams:
  - type: DeclarativeStream
    name: orders
    primary_key: [id]
    schema_loader:
      type: InlineSchemaLoader
      schema: { type: object, properties: { id: { type: integer }, total: { type: number }, note: { type: [ "null", string ] } } }
    retriever:
      type: SimpleRetriever
      requester: { $ref: '#/definitions/requester', path: /orders }
      record_selector: { $ref: '#/definitions/selector' }
      paginator: { $ref: '#/definitions/pages' }
  - type: DeclarativeStream
    name: changes
    retriever:
      type: SimpleRetriever
      requester: { $ref: '#/definitions/requester', path: /changes }
      record_selector: { $ref: '#/definitions/selector' }
      paginator: { $ref: '#/definitions/pages' }
    incremental_sync:
      type: DatetimeBasedCursor
      cursor_field: at
      datetime_format: '%Y-%m-%d'
      start_datetime: "{{ config['start_date'] }}"
      start_time_option: { type: RequestOption, inject_into: request_parameter, field_name: since }
  - type: DeclarativeStream
    name: strange
    retriever: { type: CustomRetriever, class_name: mine.Own }
spec:
  type: Spec
  connection_specification:
    type: object
    required: [url, token]
    properties:
      url: { type: string }
      token: { type: string, airbyte_secret: true, description: The token of the shop. }
      page_size: { type: integer, default: 2 }
      start_date: { type: string, default: "2026-01-01" }
"#;

/// A server of orders, which are what the test says.
struct Server {
    address: String,
    orders: Arc<Mutex<Vec<Value>>>,
    asked: Arc<AtomicUsize>,
}

impl Server {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let server = Self { address, orders: Arc::default(), asked: Arc::default() };
        let (orders, asked) = (Arc::clone(&server.orders), Arc::clone(&server.asked));
        thread::spawn(move || {
            for stream in listener.incoming() {
                let count = asked.fetch_add(1, Ordering::SeqCst);
                answer(&mut stream.unwrap(), &orders.lock().unwrap(), count);
            }
        });
        server
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

/// Answers one request, and closes; one in ten fails.
fn answer(stream: &mut TcpStream, orders: &[Value], count: usize) {
    let (mut request, mut buffer) = (Vec::new(), [0; 4096]);
    while !request.windows(4).any(|end| end == b"\r\n\r\n") {
        let read = stream.read(&mut buffer).unwrap();
        request.extend_from_slice(&buffer[..read]);
    }
    let request = String::from_utf8(request).unwrap();
    let target = request.split(' ').nth(1).unwrap();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let asked = |name: &str| {
        let pair = query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
        pair.map(ToOwned::to_owned)
    };
    let is_known = request.lines().any(|line| line.eq_ignore_ascii_case(&format!("authorization: Bearer {SECRET}")));
    let place = path.rsplit_once('/').map_or(path, |(_, last)| last);
    let (status, body) = match place {
        _ if !is_known => (403, json!({"error": format!("no such token: {}", token(&request))})),
        _ if count % 10 == 9 => (500, json!({"error": "one in ten"})),
        "orders" | "changes" => {
            let (page, size): (usize, usize) =
                (asked("page").unwrap().parse().unwrap(), asked("size").unwrap().parse().unwrap());
            let since = asked("since").unwrap_or_default();
            let all = orders.iter().filter(|order| since.is_empty() || order["at"].as_str().unwrap() >= since.as_str());
            let data: Vec<&Value> = all.skip((page - 1) * size).take(size).collect();
            (200, json!({"data": data}))
        }
        _ => (404, json!({})),
    };
    let body = body.to_string();
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status} x\r\ncontent-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n"
    );
    stream.write_all((head + &body).as_bytes()).unwrap();
}

fn token(request: &str) -> &str {
    request.lines().find_map(|line| line.split_once("Bearer ")).map_or("none", |(_, token)| token)
}

fn pipeline(stream: &str, write: &str) -> String {
    format!(
        "etalon: 1
pipeline: shop
source:
  connector:
    manifest: shop.manifest.yaml
    stream: {stream}
    config: {{ url: '${{URL}}', token: '${{TOKEN}}', page_size: 3 }}
    private_addresses: allow
  fields: {{ id: bigint, total: 'decimal(10,2)', note: , at: date }}
columns: {{ id: bigint required, total: , note: varchar(20), at: required }}
target: {{ table: orders, write: {write} }}
"
    )
}

fn order(id: u64, total: &str, at: &str) -> Value {
    let total: Value = serde_json::from_str(total).unwrap();
    json!({"id": id, "total": total, "at": at})
}

/// A folder with the pipeline and its manifest.
fn folder(pipeline: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("p.yaml"), pipeline).unwrap();
    fs::write(folder.path().join("shop.manifest.yaml"), MANIFEST).unwrap();
    folder
}

/// Runs the command with the values of the pipeline's `${…}`; gives both outputs.
#[track_caller]
fn shop(folder: &Path, server: &Server, token: &str, arguments: &[&str], code: i32) -> (String, String) {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_etalon"));
    let output =
        command.current_dir(folder).args(arguments).env("URL", &server.address).env("TOKEN", token).output().unwrap();
    let [out, err] = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
    assert_eq!(output.status.code(), Some(code), "{arguments:?}\n{out}\n{err}");
    for text in [&out, &err] {
        assert!(!text.contains(token), "{arguments:?} tells a secret:\n{text}");
    }
    (out, err)
}

#[track_caller]
fn rows(folder: &Path) -> String {
    done(folder, &["query", "p.yaml", "select id, total, at from orders order by id", "--output", "csv"], 0)
}

/// Nothing below a folder tells a secret.
fn no_secret_is_kept(folder: &Path) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            no_secret_is_kept(&path);
            continue;
        }
        let bytes = fs::read(&path).unwrap();
        let found = bytes.windows(SECRET.len()).any(|window| window == SECRET.as_bytes());
        assert!(!found, "{} tells a secret", path.display());
    }
}

#[test]
fn a_snapshot_is_loaded_and_what_has_landed_is_read_again_without_asking() {
    let server = Server::start();
    let folder = folder(&pipeline("orders", "merge, key: id"));
    let at = folder.path();
    *server.orders.lock().unwrap() =
        (1..=40).map(|id| order(id, if id == 7 { "\"much\"" } else { "1.10" }, "2026-01-05")).collect();
    let (page, _) = shop(at, &server, SECRET, &["preview", "p.yaml", "--rows", "2"], 0);
    assert!(page.contains("1.10"), "{page}");
    assert!(!at.join(".etalon").exists());

    let (out, _) = shop(at, &server, SECRET, &["run", "p.yaml", "--output", "json"], 0);
    let ran = json(&out);
    assert_eq!((&ran["landed"]["rows"], &ran["counts"]["staged"]), (&json!(40), &json!(39)), "{out}");
    assert!(rows(at).contains("1,1.10,2026-01-05\n"));
    let asked = server.asked();
    // Everything else reads what has landed.
    let mended = pipeline("orders", "merge, key: id").replace("total: 'decimal(10,2)'", "total: text").replace(
        "total: ,",
        "total: { from: \"case total when 'much' then 0.07 else total::decimal(10,2) end\", type: 'decimal(10,2)' },",
    );
    fs::write(at.join("p.yaml"), mended).unwrap();
    shop(at, &server, SECRET, &["rejects", "redrive", "p.yaml"], 0);
    assert!(rows(at).contains("7,0.07,2026-01-05\n"));
    shop(at, &server, SECRET, &["reload", "p.yaml"], 0);
    assert_eq!(server.asked(), asked);

    // The same again is nothing new; one changed order is.
    let (out, _) = shop(at, &server, SECRET, &["run", "p.yaml", "--output", "json"], 0);
    assert_eq!(json(&out)["landed"]["windows"], json!([]), "{out}");
    server.orders.lock().unwrap()[0] = order(1, "2", "2026-01-06");
    shop(at, &server, SECRET, &["run", "p.yaml"], 0);
    assert!(rows(at).contains("1,2.00,2026-01-06\n"));
    no_secret_is_kept(at);
}

#[test]
fn what_is_new_is_read_from_where_the_last_walk_ended() {
    let server = Server::start();
    let folder = folder(&pipeline("changes", "merge, key: id, order_by: at"));
    let at = folder.path();
    *server.orders.lock().unwrap() = (1..=10).map(|id| order(id, "5", "2026-01-05")).collect();
    shop(at, &server, SECRET, &["run", "p.yaml"], 0);
    server.orders.lock().unwrap().extend((11..=13).map(|id| order(id, "6", "2026-01-07")));
    server.orders.lock().unwrap()[2] = order(3, "9", "2026-01-08");
    let (out, _) = shop(at, &server, SECRET, &["run", "p.yaml", "--output", "json"], 0);
    // The day of the last one is read again.
    assert_eq!(json(&out)["landed"]["rows"], json!(13), "{out}");
    assert_eq!(rows(at).lines().count(), 14);
    assert!(rows(at).contains("3,9.00,2026-01-08\n"));
    let (out, _) = shop(at, &server, SECRET, &["state", "show", "p.yaml", "--output", "json"], 0);
    let shown = json(&out);
    assert_eq!((&shown["position"], &shown["landed"]), (&json!("{\"at\":\"2026-01-08\"}"), &json!(2)), "{out}");
    let (out, _) = shop(at, &server, SECRET, &["run", "p.yaml", "--output", "json"], 0);
    assert_eq!(json(&out)["landed"]["rows"], json!(1), "{out}");
    shop(at, &server, SECRET, &["state", "reset", "p.yaml"], 0);
    let (out, _) = shop(at, &server, SECRET, &["run", "p.yaml", "--output", "json"], 0);
    assert_eq!(json(&out)["landed"]["rows"], json!(13), "{out}");
    assert_eq!(rows(at).lines().count(), 14);
    no_secret_is_kept(at);
}

#[test]
fn an_error_lands_nothing_and_tells_no_secret() {
    let server = Server::start();
    let folder = folder(&pipeline("orders", "replace"));
    let at = folder.path();
    *server.orders.lock().unwrap() = (1..=4).map(|id| order(id, "5", "2026-01-05")).collect();
    shop(at, &server, SECRET, &["run", "p.yaml"], 0);
    let before = rows(at);
    let (_, err) = shop(at, &server, "wrong token", &["run", "p.yaml"], 3);
    assert!(err.contains("HTTP 403: no such token: ***"), "{err}");
    server.orders.lock().unwrap().pop();
    assert_eq!(rows(at), before);
    shop(at, &server, SECRET, &["run", "p.yaml"], 0);
    assert_eq!(rows(at).lines().count(), 4);
    no_secret_is_kept(at);
}

/// A secret may be a part of what is asked, too.
#[test]
fn a_secret_in_an_address_is_kept_nowhere() {
    let server = Server::start();
    for stream in ["orders", "changes"] {
        let folder = folder(&pipeline(stream, "merge, key: id, order_by: at"));
        let at = folder.path();
        let keyed = MANIFEST
            .replace("path: /orders", "path: \"bot{{ config['token'] }}/orders\"")
            .replace("path: /changes", "path: \"bot{{ config['token'] }}/changes\"")
            .replace(
                "    error_handler:",
                "    request_parameters: { key: \"{{ config['token'] }}\" }\n    error_handler:",
            );
        fs::write(at.join("shop.manifest.yaml"), keyed).unwrap();
        *server.orders.lock().unwrap() = (1..=7).map(|id| order(id, "5", "2026-01-05")).collect();
        shop(at, &server, SECRET, &["run", "p.yaml"], 0);
        assert_eq!(rows(at).lines().count(), 8);
        shop(at, &server, "wrong token", &["run", "p.yaml"], 3);
        no_secret_is_kept(at);
    }
}

/// An answer that has nothing where records stand may be an error that a server answers with 200.
#[test]
fn an_answer_that_has_nothing_at_the_path_of_the_records_is_told() {
    let server = Server::start();
    let folder = folder(&pipeline("orders", "merge, key: id"));
    let at = folder.path();
    *server.orders.lock().unwrap() = (1..=4).map(|id| order(id, "5", "2026-01-05")).collect();
    let (_, err) = shop(at, &server, SECRET, &["run", "p.yaml"], 0);
    assert!(!err.contains("has nothing at"), "{err}");
    let manifest = MANIFEST.replace("field_path: [data]", "field_path: [result, items]");
    fs::write(at.join("shop.manifest.yaml"), manifest).unwrap();
    server.orders.lock().unwrap().pop();
    let (_, err) = shop(at, &server, SECRET, &["run", "p.yaml"], 0);
    assert!(err.contains("page 1 of GET `http://127.0.0.1") && err.contains("has nothing at `result.items`"), "{err}");
}

#[test]
fn a_pipeline_is_checked_with_its_manifest() {
    let good = pipeline("orders", "merge, key: id");
    let wrong = [
        (
            good.replace("stream: orders", "stream: order"),
            "the manifest has no stream `order`",
            "did you mean `orders`?",
        ),
        (good.replace("stream: orders", "stream: strange"), "asks for what is not there", "mine.Own"),
        (good.replace("page_size: 3", "page_size: three"), "`page_size` is a whole number", "three"),
        (
            good.replace("page_size: 3", "page_sise: 3"),
            "the manifest asks for no `page_sise`",
            "did you mean `page_size`?",
        ),
        (good.replace("token: '${TOKEN}', ", ""), "the manifest asks for `token`", "The token of the shop"),
        (good.replace("shop.manifest", "shop"), "shop.yaml: No such file", "manifest"),
        (good.replace("write: merge, key: id", "write: append"), "brings records again", "write `merge`"),
        (pipeline("changes", "replace"), "only what is new is read", "write `merge`"),
        (good.replace("manifest: ", "manifst: "), "manifst", "did you mean `manifest`?"),
    ];
    let folder = folder(&good);
    done(folder.path(), &["check", "p.yaml"], 0);
    for (file, message, also) in wrong {
        fs::write(folder.path().join("p.yaml"), &file).unwrap();
        let output = etalon(folder.path(), &["check", "p.yaml"]);
        let err = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{file}\n{err}");
        assert!(err.contains(message) && err.contains(also), "{err}");
    }
}

#[test]
fn a_few_lines_are_an_api() {
    let server = Server::start();
    let file = "etalon: 1
pipeline: shop
source:
  http:
    url: ${URL}/changes
    auth: { bearer: '${TOKEN}' }
    records: data
    paging: { page: { param: page, size: 3, size_param: size } }
    incremental: { field: at, since: 2026-01-01, param: since, format: date }
    rate: 1000 per second
  fields: { id: bigint, total: 'decimal(10,2)', at: date }
columns: { id: bigint required, total: , at: }
target: { table: orders, write: merge, key: id }
";
    let folder = folder(file);
    let at = folder.path();
    *server.orders.lock().unwrap() = (1..=10).map(|id| order(id, "0.1", "2026-01-05")).collect();
    done(at, &["check", "p.yaml"], 0);
    shop(at, &server, SECRET, &["run", "p.yaml"], 0);
    server.orders.lock().unwrap().push(order(11, "6", "2026-01-07"));
    let (out, _) = shop(at, &server, SECRET, &["run", "p.yaml", "--output", "json"], 0);
    assert_eq!(json(&out)["landed"]["rows"], json!(11), "{out}");
    assert_eq!(rows(at).lines().count(), 12);
    shop(at, &server, "wrong token", &["run", "p.yaml"], 3);
    no_secret_is_kept(at);

    let wrong = [
        ("url: ${URL}/changes", "url: ftp://x", "no address that begins with"),
        ("records: data", "records: data..x", "keys with dots"),
        ("bearer:", "barer:", "did you mean `bearer`?"),
        ("1000 per second", "1000 a second", "write a whole number up to 100000, `per`"),
        ("1000 per second", "200000 per day", "up to 100000"),
        ("2026-01-01", "2026-02-30", "is a day such as"),
        ("format: date", "format: day", "not a value of `format`"),
        ("param: since,", "param: since, window: 1 day,", "needs `param` and `until_param`"),
        ("size: 3, size_param: size", "size_param: size", "write `size: 100`"),
        ("merge, key: id", "replace", "only what is new is read"),
        ("merge, key: id", "append", "brings records again"),
    ];
    for (right, instead, message) in wrong {
        fs::write(at.join("p.yaml"), file.replace(right, instead)).unwrap();
        let output = etalon(at, &["check", "p.yaml"]);
        let err = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{instead}\n{err}");
        assert!(err.contains(message), "{err}");
    }
}

#[test]
fn a_pipeline_to_begin_with_is_valid_and_runs() {
    let server = Server::start();
    let folder = folder("");
    let at = folder.path();
    fs::remove_file(at.join("p.yaml")).unwrap();
    *server.orders.lock().unwrap() = (1..=4).map(|id| order(id, "0.1", "2026-01-05")).collect();
    let init = ["init", "--connector", "shop.manifest.yaml", "--stream", "orders", "--to", "p.yaml"];
    done(at, &init, 0);
    let text = fs::read_to_string(at.join("p.yaml")).unwrap();
    for line in [
        "    total: \"decimal(38,9)\" # how many digits?",
        "      # The token of the shop.",
        "      \"token\": \"${TOKEN}\"",
    ] {
        assert!(text.contains(&format!("{line}\n")), "{text}");
    }
    done(at, &["check", "p.yaml"], 0);
    fs::write(at.join("p.yaml"), text.replace("manifest.yaml\"\n", "manifest.yaml\"\n    private_addresses: allow\n"))
        .unwrap();
    shop(at, &server, SECRET, &["run", "p.yaml"], 0);
    let out = done(at, &["query", "p.yaml", "select id, total from orders order by id", "--output", "csv"], 0);
    assert_eq!(out.lines().nth(1), Some("1,0.100000000"));
    done(at, &init, 3);
    done(at, &["init"], 64);
}
