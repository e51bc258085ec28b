//! Hostile: manifests and servers that mean harm, in one table. Each is refused before anything is sent, or bounded, with words that hold
//! no credential.

use etalon_core::source::connector::{Bounds, Connector, RESPONSE_BYTES_MAX, Request, Response};
use serde_json::{Value, json};

use crate::connector::{BEARER, CURSOR, NOW, job, manifest, ok, walk};

const SECRET: &str = "s3cret-value";
const NEXT: &str = "paginator:
        type: DefaultPaginator
        page_token_option: { type: RequestPath }
        pagination_strategy: { type: CursorPagination, cursor_value: \"{{ response.next }}\" }";
const ENDLESS: &str = "paginator:
        type: DefaultPaginator
        page_token_option: { type: RequestOption, inject_into: request_parameter, field_name: page }
        pagination_strategy: { type: PageIncrement }";
const PARENT: &str = "partition_router:
        type: SubstreamPartitionRouter
        parent_stream_configs:
          - parent_key: host
            partition_field: region
            stream:
              name: hosts
              retriever:
                requester: { type: HttpRequester, url_base: https://api.example, path: hosts }
                record_selector: { extractor: { field_path: [items] } }";
const LOGIN: &str = "authenticator:
          type: OAuthAuthenticator
          token_refresh_endpoint: https://api.example/token
          client_id: \"{{ config.key }}\"
          client_secret: \"{{ config.key }}\"
          grant_type: client_credentials";

/// What a server answers.
type Answer = Box<dyn Fn(&Request) -> Option<Response>>;

/// A manifest, what its server answers, and words of the refusal.
struct Case {
    name: String,
    manifest: String,
    answer: Answer,
    bounds: Bounds,
    told: &'static str,
}

fn case(name: &str, manifest: String, answer: Value, told: &'static str) -> Case {
    let answer = Box::new(move |_: &Request| ok(&answer));
    Case { name: name.to_owned(), manifest, answer, bounds: Bounds::default(), told }
}

/// One whose server answers with these bytes.
fn body(name: &str, manifest: String, status: u16, body: Vec<u8>, told: &'static str) -> Case {
    let answer = Box::new(move |_: &Request| Some(Response::new(status, Vec::new(), body.clone())));
    Case { answer, ..case(name, manifest, Value::Null, told) }
}

fn gzipped(bytes: usize) -> Vec<u8> {
    use std::io::Write;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(&vec![b' '; bytes]).unwrap();
    encoder.finish().unwrap()
}

fn cases() -> Vec<Case> {
    let elsewhere = "is not of a host that the manifest names";
    let mut cases = Vec::new();
    for (name, next, told) in [
        ("the next page on another host", "https://evil.example/things", elsewhere),
        ("the next page at the address of metadata", "http://169.254.169.254/latest/meta-data/", elsewhere),
        ("the next page on this machine", "http://127.0.0.1:9001/", elsewhere),
        ("a host behind a name of a user", "https://api.example@evil.example/", "host"),
        ("a host that begins as ours", "https://api.example.evil.example/", elsewhere),
        ("a host behind a backslash", "https://evil.example\\@api.example/", "host"),
        ("a host without a scheme", "//evil.example/things", "host"),
        ("a file", "file:///etc/passwd", "host"),
        ("another protocol", "gopher://api.example/", ""),
        ("an address within another", "http://[::ffff:169.254.169.254]/", elsewhere),
        ("the next page without encryption", "http://api.example/things", "would get credentials without encryption"),
    ] {
        cases.push(case(name, manifest(BEARER, NEXT, ""), json!({"items": [{"id": 1}], "next": next}), told));
    }
    for (name, requester) in [
        ("a key in the query", "request_parameters: { k: \"{{ config.api_key }}\" }"),
        ("a key in a header", "request_headers: { X-Key: \"{{ config.api_key }}\" }"),
        ("a key in the body", "http_method: POST\n        request_body_json: { k: [\"{{ config.api_key }}\"] }"),
        ("a key in base64", "request_headers: { X: \"{{ ('user:' ~ config.api_key) | base64encode }}\" }"),
        ("a key without encryption on the next page", "request_headers: { X-Key: \"{{ config.api_key }}\" }"),
    ] {
        let next = json!({"items": [{"id": 1}], "next": "http://api.example/things"});
        let mut text = manifest(requester, NEXT, "");
        if !name.contains("next") {
            text = text.replace("https://api.example", "http://api.example");
        }
        cases.push(case(name, text, next, "would get credentials without encryption"));
    }
    let in_path = manifest("", "", "").replace("path: /things", "path: \"bot{{ config.api_key }}/things\"");
    let in_path = in_path.replace("https://api.example", "http://api.example");
    cases.push(case("a key in the path", in_path, json!({}), "would get credentials without encryption"));
    let quoting = "error_handler: { type: DefaultErrorHandler, response_filters: [ { type: HttpResponseFilter, http_codes: [400], \
                   action: FAIL, error_message: \"{{ config.api_key }} {{ response.echo }}\" } ] }";
    let echo = json!({"echo": SECRET}).to_string().into_bytes();
    cases.push(body("a message that quotes the configuration", manifest(quoting, "", ""), 400, echo, "***"));
    let patient = "error_handler: { type: DefaultErrorHandler, backoff_strategies: [ { type: WaitTimeFromHeader, header: \
                   Retry-After } ] }";
    let years = Box::new(|_: &Request| {
        Some(Response::new(503, vec![("Retry-After".to_owned(), "999999999".to_owned())], Vec::new()))
    });
    let waiting =
        case("a server that asks to wait for years", manifest(patient, "", ""), Value::Null, "more than a day");
    cases.push(Case { answer: years, ..waiting });
    let echo = format!("who is {SECRET}? {}", "x".repeat(5000)).into_bytes();
    cases.push(body("an error that says who asks", manifest(BEARER, "", ""), 403, echo, "who is ***? xxx"));
    for host in ["localhost", "10.0.0.1", "169.254.169.254", "[::1]", "2130706433", "0x7f.1"] {
        let text = manifest("", "", "").replace("https://api.example", &format!("https://{host}"));
        cases.push(case(&format!("the private address {host}"), text, json!({"items": []}), "private network"));
    }
    let regional = manifest("", PARENT, "").replacen(
        "https://api.example",
        "\"https://{{ stream_partition.region }}.example\"",
        1,
    );
    cases.push(case("a host that a record names", regional, json!({"items": [{"host": "evil"}]}), elsewhere));
    let file = |url: &str| json!({"id": 1, "status": "ready", "urls": [url]});
    cases.push(case(
        "a file of a job at a private address",
        job(""),
        file("https://169.254.169.254/a"),
        "private network",
    ));
    cases.push(case("a file of a job without encryption", job(""), file("http://files.example/a"), elsewhere));
    let with_key = "url_base: \"{{ download_target }}\", request_headers: { X-Key: \"{{ config.key }}\" }";
    let with_key = job("").replace("url_base: \"{{ download_target }}\"", with_key);
    cases.push(case("a file of a job that gets credentials", with_key, file("https://files.example/a"), elsewhere));
    cases.push(case(
        "a job that never ends",
        job("polling_job_timeout: 1"),
        json!({"id": 1, "status": "waiting"}),
        "not done in time",
    ));

    let few = |bounds: Bounds, told| Case {
        bounds,
        ..case("", manifest("", ENDLESS, ""), json!({"items": [{"id": 1}, {"id": 2}]}), told)
    };
    cases.push(Case {
        name: "endless pages".to_owned(),
        ..few(Bounds { pages_max: 50, ..Bounds::default() }, "more than 50 pages")
    });
    cases.push(Case {
        name: "endless records".to_owned(),
        ..few(Bounds { records_max: 50, ..Bounds::default() }, "more than 50 records")
    });
    let same = CURSOR.replace("{{ response.next is none }}", "{{ false }}");
    cases.push(case(
        "a page that is its own next",
        manifest("", &same, ""),
        json!({"items": [{"id": 1}], "next": "x"}),
        "again and again",
    ));

    cases.push(body(
        "a body that is too large",
        manifest("", "", ""),
        200,
        vec![b' '; RESPONSE_BYTES_MAX + 1],
        "bytes",
    ));
    let gzip = manifest("", "decoder: { type: GzipDecoder, decoder: { type: JsonDecoder } }", "");
    cases.push(body(
        "a body that is too large when unpacked",
        gzip,
        200,
        gzipped(RESPONSE_BYTES_MAX + 1),
        "longer than 64 MiB",
    ));
    let zip = manifest("", "decoder: { type: ZipfileDecoder, decoder: { type: JsonDecoder } }", "");
    cases.push(body("an archive that is none", zip, 200, vec![b'P'; 100], "no zip archive"));
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    cases.push(body("an answer that is nested without end", manifest("", "", ""), 200, deep.into_bytes(), "no JSON"));
    let xml = manifest("", "decoder: { type: XmlDecoder }", "");
    let entities = "<!DOCTYPE a [<!ENTITY b \"bb\"><!ENTITY c \"&b;&b;\">]><a>&c;</a>";
    cases.push(body("entities of XML", xml, 200, entities.into(), ""));

    for (name, template) in [
        ("a text that is repeated", "{{ 'x' * 99999999 }}"),
        ("a text that is repeated again and again", "{{ (('x' * 60000) * 60000) * 60000 }}"),
        ("a power of a power", "{{ 9 ** 9 ** 9 }}"),
        ("a text that grows by replacing", "{{ ('ab' * 2000000) | replace('a', 'aaaaaaaaaaaaaaaa') }}"),
        ("a division by zero", "{{ 1 / 0 }}"),
        ("a regular expression that grows", "{{ 'a' | regex_search('((a{1000}){1000}){1000}') }}"),
        ("a range", "{{ range(99999999) }}"),
        ("a class of Python", "{{ ''.__class__.__mro__() }}"),
        ("a file that is included", "{% include '/etc/passwd' %}"),
        ("a loop", "{% for x in config %}{{ x }}{% endfor %}"),
        ("an attribute by name", "{{ config | attr('x') }}"),
        ("a maker of endless lists", "{{ cycler() }}"),
    ] {
        let text = manifest(&format!("request_parameters: {{ q: \"{template}\" }}"), "", "");
        cases.push(case(name, text, json!({"items": []}), ""));
    }

    let mut doubled = "definitions:\n  a0: [1, 2]\n".to_owned();
    for level in 1..40 {
        let below = level - 1;
        doubled.push_str(&format!("  a{level}: ['#/definitions/a{below}', '#/definitions/a{below}']\n"));
    }
    doubled.push_str("x: '#/definitions/a39'\n");
    cases.push(case("references that double", doubled, Value::Null, "references grow"));
    let mut aliases = "a0: &a0 [1, 2]\n".to_owned();
    for level in 1..40 {
        let below = level - 1;
        aliases.push_str(&format!("a{level}: &a{level} [*a{below}, *a{below}]\n"));
    }
    cases.push(case("aliases that double", aliases, Value::Null, ""));
    cases.push(case("nesting without end", format!("a: {}{}\n", "[".repeat(500), "]".repeat(500)), Value::Null, ""));
    let circle = "definitions: { a: { $ref: '#/definitions/a' } }\nx: '#/definitions/a'\n";
    cases.push(case("a reference to itself", circle.to_owned(), Value::Null, "leads back to itself"));

    for (name, requester) in [("a token", BEARER), ("a login", LOGIN)] {
        for status in [401, 500] {
            let text = manifest(requester, "", "");
            cases.push(body(&format!("{name} in an error of {status}"), text, status, SECRET.into(), "HTTP"));
        }
    }
    cases
}

#[test]
fn whatever_means_harm_is_refused_or_bounded() {
    let cases = cases();
    assert!(cases.len() >= 30, "{}", cases.len());
    for Case { name, manifest, answer, bounds, told } in cases {
        let refusal = match Connector::read(&manifest) {
            Err(error) => error.to_string(),
            Ok(connector) if connector.streams().any(|stream| !stream.missing.is_empty()) => {
                connector.walk("things", json!({}), None, bounds, NOW, 0).unwrap_err().to_string()
            }
            Ok(_) => {
                match walk(&manifest, json!({"key": SECRET, "api_key": SECRET}), bounds, |request| answer(request)) {
                    Ok(walked) => panic!("{name}: it is not refused: {:?}", walked.requests),
                    Err(error) => error.to_string(),
                }
            }
        };
        assert!(refusal.contains(told), "{name}: {refusal}");
        assert!(!refusal.contains(SECRET), "{name}: {refusal}");
    }
}
