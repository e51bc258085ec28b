//! Public connector manifests, and what their reference implementation did with them: which requests it sent, which records
//! and which state came out. Each stream is walked without a socket: the recorded responses answer the requests.
//!
//! A stream is *exact* if its requests, its records and its state are the recorded ones, *refused* if it is said to be
//! before anything is sent, and else *different*, which none may be.
//!
//! The recording's clock ran on from the time that it says, so times of the following minutes are one time; its pages were
//! made small, so the manifest's are, too.
//!
//! An exact stream is walked once more by many, each of whom takes one page and keeps where the walk stands for the next one: records
//! and state must be the same.
//!
//! A recording may also say with which state it began (`before`), which status and headers an answer had (`status`,
//! `response_headers`), how long the reference waited (`waits`, in seconds), and that it ended with an error (`err`): then the walk must,
//! too.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Read;
use std::path::Path;

use etalon_core::diagnostic::Code;
use etalon_core::pipeline::Pipeline;
use etalon_core::source::connector::{Bounds, Connector, Keeping, Kept, KeptCalls, Request, Response, Step};
use etalon_core::source::sketch;
use serde_json::{Map, Value};

/// So many requests and pages a walk may take.
const STEPS_MAX: usize = 100_000;
/// Most differences that are shown.
const SHOWN_MAX: usize = 60;

/// What one stream came to.
enum Outcome {
    Exact,
    Refused(String),
    Different(String),
}

pub(crate) fn connectors_ask_and_say_what_the_reference_does(corpora: &Path) {
    let mut folders: Vec<_> =
        fs::read_dir(corpora.join("connectors")).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    let (mut exact, mut refused, mut different) = (0, Vec::new(), Vec::new());
    let mut sketched = 0;
    println!("{:36} {:>6} {:>8} {:>10}", "connector", "exact", "refused", "different");
    for folder in folders {
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        let manifest = small_pages(&fs::read_to_string(folder.join("manifest.yaml")).unwrap());
        let mut lines = String::new();
        let packed = fs::read(folder.join("transcript.jsonl.gz")).unwrap();
        flate2::read::GzDecoder::new(packed.as_slice()).read_to_string(&mut lines).unwrap();
        let connector = Connector::read(&manifest).map_err(|error| error.to_string());
        if let Ok(connector) = &connector {
            sketched += each_stream_has_a_sketch(connector);
        }
        let mut counts = [0; 3];
        // What was asked for one stream is remembered by the recording, and not asked again for another of the connector.
        let recordings: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        for recorded in &recordings {
            let stream = format!("{name} {}", recorded["stream"].as_str().unwrap());
            let outcome = match &connector {
                Ok(connector) => replay(connector, recorded, &recordings),
                Err(error) => Outcome::Refused(error.clone()),
            };
            match outcome {
                Outcome::Exact => {
                    exact += 1;
                    counts[0] += 1;
                }
                Outcome::Refused(why) => {
                    refused.push(format!("{stream}: {why}"));
                    counts[1] += 1;
                }
                Outcome::Different(why) => {
                    different.push(format!("{stream}: {why}"));
                    counts[2] += 1;
                }
            }
        }
        println!("{name:36} {:>6} {:>8} {:>10}", counts[0], counts[1], counts[2]);
    }
    let all = exact + refused.len() + different.len();
    println!("streams with a sketch that is valid: {sketched}");
    println!("streams: {all}; exact {exact}, refused {}, different {}", refused.len(), different.len());
    refused.iter().take(SHOWN_MAX).for_each(|stream| println!("refused: {stream}"));
    different.iter().take(SHOWN_MAX).for_each(|stream| println!("different: {stream}"));
    assert!(different.is_empty(), "{} streams are different", different.len());
    assert!(exact * 100 >= all * 95, "{exact} of {all} streams are exact");
}

/// A sketch is made for each stream of which the manifest has a schema, and is a valid pipeline; gives how many.
fn each_stream_has_a_sketch(connector: &Connector) -> usize {
    let has_schema = |name: &str| connector.schema(name).is_some_and(|schema| !schema["properties"].is_null());
    let streams = connector.streams().filter(|listed| listed.missing.is_empty() && has_schema(listed.name));
    let valid = streams.filter(|listed| {
        let Ok(text) = sketch::of_stream(connector, "m.yaml", listed.name) else { return false };
        let (pipeline, _) =
            Pipeline::compile(&text).unwrap_or_else(|wrong| panic!("{}: {wrong:?}\n{text}", listed.name));
        let wrong = pipeline.check_manifest(connector);
        // What the specification asks for as a mapping, only the author can write.
        assert!(
            wrong.iter().all(|one| one.code == Code::MissingKey || one.code == Code::WrongValue),
            "{wrong:?}\n{text}"
        );
        true
    });
    valid.count()
}

/// The manifest with pages of three records, as the recording had them.
fn small_pages(manifest: &str) -> String {
    let small = |line: &str| {
        let (key, value) = line.split_once("page_size:")?;
        let value = value.trim().trim_matches(['"', '\'']);
        let is_number = !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit());
        (key.trim().is_empty() && is_number).then(|| format!("{key}page_size: 3"))
    };
    let lines: Vec<String> = manifest.lines().map(|line| small(line).unwrap_or_else(|| line.to_owned())).collect();
    lines.join("\n") + "\n"
}

fn replay(connector: &Connector, recorded: &Value, remembered: &[Value]) -> Outcome {
    let clock = Clock::of(recorded["now"].as_str().unwrap());
    let stream = recorded["stream"].as_str().unwrap();
    let listed = connector.streams().find(|listed| listed.name == stream);
    // What is not on the list may be a stream that the server or the configuration names.
    if let Some(listed) = listed.filter(|listed| !listed.missing.is_empty()) {
        return Outcome::Refused(listed.missing.join("; "));
    }
    // Which of several answers to the same request was remembered is not recorded.
    let mut why = String::new();
    for first in 0..remembered.len() {
        let remembered: Vec<&Value> = remembered[first..].iter().chain(&remembered[..first]).collect();
        match walk(connector, stream, recorded, &remembered, &clock, false) {
            Ok(()) => {
                return match walk(connector, stream, recorded, &remembered, &clock, true) {
                    Ok(()) => Outcome::Exact,
                    Err(wrong) => Outcome::Different(format!("kept after each page, {wrong}")),
                };
            }
            Err(wrong) if first == 0 => why = wrong,
            Err(_) => {}
        }
    }
    Outcome::Different(why)
}

/// The configuration before a token was got for it, if the recording gets one: it was written down afterwards.
fn before_login(config: &Value, recorded: &Value) -> Value {
    let mut tokens = recorded["transcript"].as_array().unwrap().iter().filter_map(|exchange| {
        exchange["body"].as_str().filter(|body| body.contains("grant_type="))?;
        let answer: Value = serde_json::from_str(exchange["response"].as_str().unwrap()).ok()?;
        Some(answer.get("access_token")?.clone())
    });
    let Some(token) = tokens.next() else { return config.clone() };
    match config {
        Value::Object(map) => map.iter().map(|(key, value)| (key.clone(), before_login(value, recorded))).collect(),
        value if *value == token => "".into(),
        value => value.clone(),
    }
}

/// The exchanges of a recording, by request.
fn answers<'a>(recorded: &'a Value, clock: &Clock) -> BTreeMap<String, Vec<&'a Value>> {
    let mut answers: BTreeMap<String, Vec<&Value>> = BTreeMap::new();
    for exchange in recorded["transcript"].as_array().unwrap() {
        let headers = exchange["headers"].as_object().unwrap();
        let request = Request {
            method: exchange["method"].as_str().unwrap().to_owned(),
            url: exchange["url"].as_str().unwrap().to_owned(),
            headers: headers.iter().map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned())).collect(),
            body: exchange["body"].as_str().map(ToOwned::to_owned),
        };
        answers.entry(clock.key(&request)).or_default().push(exchange);
    }
    answers
}

/// What was answered in an exchange.
fn answer(exchange: &Value) -> Response {
    let status = exchange.get("status").and_then(Value::as_u64).map_or(200, |status| u16::try_from(status).unwrap());
    let headers = exchange.get("response_headers").and_then(Value::as_object).into_iter().flatten();
    let headers = headers.map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned())).collect();
    Response::new(status, headers, exchange["response"].as_str().unwrap().as_bytes().to_vec())
}

/// A walk that is to end with an error, ends so.
fn walk(
    connector: &Connector,
    stream: &str,
    recorded: &Value,
    remembered: &[&Value],
    clock: &Clock,
    is_kept: bool,
) -> Result<(), String> {
    let walked = walk_to_its_end(connector, stream, recorded, remembered, clock, is_kept);
    match (recorded["err"].as_str(), walked) {
        (None, walked) => walked,
        // The reference reads several partitions at once, and none any more when one has failed.
        (Some(_), Err(_)) => Ok(()),
        (Some(err), Ok(())) => Err(format!("it ends without the error of the reference: {err}")),
    }
}

fn walk_to_its_end(
    connector: &Connector,
    stream: &str,
    recorded: &Value,
    remembered: &[&Value],
    clock: &Clock,
    is_kept: bool,
) -> Result<(), String> {
    let known = answers(recorded, clock);
    let before: Vec<_> = remembered.iter().map(|recorded| answers(recorded, clock)).collect();
    let mut asked: BTreeMap<String, usize> = BTreeMap::new();
    let bounds = Bounds { is_private_allowed: true, ..Bounds::default() };
    let wrong = |error: etalon_core::error::Error| error.to_string();
    let mut now = clock.now;
    let config = before_login(&recorded["config"], recorded);
    let mut walk = connector
        .walk(stream, config.clone(), recorded.get("before").filter(|before| !before.is_null()), bounds, now, 0)
        .map_err(wrong)?;
    let (mut records, mut waits, mut calls) = (Vec::new(), Vec::new(), None);
    for _ in 0..STEPS_MAX {
        match walk.step(now).map_err(wrong)? {
            Step::Request(request) => {
                let key = clock.key(&request);
                let found = known.get(&key).or_else(|| {
                    let before = before.iter().find_map(|answers| answers.get(&key));
                    before.filter(|_| request.method == "GET")
                });
                let Some(found) = found else {
                    let keys: Vec<_> = known.keys().filter(|known| !asked.contains_key(*known)).take(2).collect();
                    return Err(format!("it asks\n  {key}\nand not\n  {keys:?}"));
                };
                let count = asked.entry(key).or_default();
                let exchange = found[(*count).min(found.len() - 1)];
                *count += 1;
                walk.push(Some(answer(exchange)));
            }
            Step::Sign(signing) => walk.signed(signing.message.into_bytes()),
            Step::Keep(keeping) => walk.kept(keep(keeping, &mut calls)),
            Step::Wait(until) => {
                waits.push((until - now + 5000) / 10_000);
                now = until;
            }
            Step::Page(page) => {
                records.extend(page.records);
                if is_kept {
                    while let Some(keeping) = walk.release(now) {
                        walk.released(keep(keeping, &mut calls));
                    }
                    let kept = walk.keep().to_string();
                    let kept = serde_json::from_str(&kept).unwrap();
                    walk = connector.resume(stream, config.clone(), &kept, bounds, now, 0).map_err(wrong)?;
                }
            }
            Step::Done => break,
        }
    }
    if recorded["err"].is_string() {
        return Ok(());
    }
    if let Some(expected) = recorded.get("waits").and_then(Value::as_array) {
        let mut expected: Vec<i64> = expected.iter().map(hundredths).collect();
        waits.sort_unstable();
        expected.sort_unstable();
        if waits != expected {
            return Err(format!("it waits for {waits:?} and not for {expected:?} hundredths of seconds"));
        }
    }
    let known: BTreeSet<_> = known.keys().collect();
    if let Some(missing) = known.difference(&asked.keys().collect()).next() {
        return Err(format!("it does not ask\n  {missing}"));
    }
    let mut found: Vec<String> = records.iter().map(|record| clock.record(record)).collect();
    let mut expected: Vec<String> =
        recorded["records"].as_array().unwrap().iter().map(|record| clock.record(record)).collect();
    found.sort();
    expected.sort();
    if found != expected {
        let pair = found.iter().zip(&expected).find(|(found, expected)| found != expected);
        return Err(format!("{} records are not {} records: {pair:?}", found.len(), expected.len()));
    }
    let expected = match recorded["state"].as_array().and_then(|states| states.last()) {
        None => return Ok(()),
        Some(Value::String(text)) => {
            serde_json::from_str(&python_to_json(text)).map_err(|error| format!("{error}: {text}"))?
        }
        Some(state) => state.clone(),
    };
    let (found, expected) = (clock.state(&walk.state()), clock.state(&expected));
    if found != expected {
        return Err(format!("the state is\n  {found}\nand not\n  {expected}"));
    }
    Ok(())
}

/// Does with a document what a walk says; tokens are not remembered.
fn keep(keeping: Keeping, known: &mut Option<KeptCalls>) -> Kept {
    match keeping {
        Keeping::Read { .. } => Kept::Read(None),
        Keeping::ReadCalls { .. } => Kept::Calls(known.clone().map(|calls| (calls, "1".to_owned()))),
        Keeping::WriteCalls { calls, .. } => {
            *known = Some(calls);
            Kept::Written("1".to_owned())
        }
        Keeping::Write { .. } => Kept::Written("1".to_owned()),
    }
}

/// So many hundredths of a second.
#[expect(clippy::cast_possible_truncation, reason = "the reference waits for minutes at most")]
fn hundredths(seconds: &Value) -> i64 {
    (seconds.as_f64().unwrap() * 100.0).round() as i64
}

/// The time of the recording.
struct Clock {
    /// Microseconds since 1970.
    now: i64,
    /// How times of its hour begin, after their day.
    hour: String,
}

impl Clock {
    fn of(now: &str) -> Self {
        let moment = time::OffsetDateTime::parse(now, &time::format_description::well_known::Rfc3339).unwrap();
        Self { now: i64::try_from(moment.unix_timestamp_nanos() / 1000).unwrap(), hour: now[11..14].to_owned() }
    }

    /// The text with every time of the hour that began with the recording, of whatever day, as the hour only.
    fn still(&self, text: &str) -> String {
        let mut out = String::new();
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            let is_after_day =
                out.ends_with(['T', ' ']) && out.len() > 10 && out.as_bytes()[out.len() - 2].is_ascii_digit();
            if let Some(after) = rest.strip_prefix(self.hour.as_str()).filter(|_| is_after_day) {
                out.push_str("NOW");
                rest = after.trim_start_matches(|c: char| c.is_ascii_digit() || matches!(c, ':' | '.'));
                continue;
            }
            if c.is_ascii_digit() && !out.ends_with(|c: char| c.is_ascii_digit()) {
                let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
                let seconds =
                    rest.get(..10).filter(|_| [10, 13, 16].contains(&end)).and_then(|text| text.parse::<i64>().ok());
                let since =
                    seconds.map(|seconds| seconds - self.now / 1_000_000).filter(|since| since.abs() < 400 * 86_400);
                if let Some(since) = since.filter(|since| since.rem_euclid(86_400) < 3600) {
                    out.push_str(&format!("NOW{:+}", since.div_euclid(86_400)));
                    rest = &rest[end..];
                    if let Some(after) = rest.strip_prefix('.') {
                        rest = after.trim_start_matches(|c: char| c.is_ascii_digit());
                    }
                    continue;
                }
            }
            out.push(c);
            rest = &rest[c.len_utf8()..];
        }
        out
    }

    /// A request as one text: the order of parameters and headers does not count.
    fn key(&self, request: &Request) -> String {
        let (place, query) = request.url.split_once('?').unwrap_or((&request.url, ""));
        // The recording has no headers that its transport adds, nor those that a manifest puts in their place.
        let is_recorded = |name: &str| !["accept", "user-agent", "connection", "accept-encoding"].contains(&name);
        let headers = request.headers.iter().map(|(name, value)| (name.to_lowercase(), value));
        let headers = headers.filter(|(name, _)| is_recorded(name));
        let mut headers: Vec<String> = headers.map(|(name, value)| format!("{name}: {value}")).collect();
        headers.sort();
        let body = request.body.as_deref().unwrap_or_default();
        let body = match serde_json::from_str::<Value>(body) {
            Ok(json) => sorted(&json).to_string(),
            Err(_) => pairs(body).join("&"),
        };
        let place = decoded(place);
        self.still(&format!(
            "{} {place} ? {} | {} | {body}",
            request.method,
            pairs(query).join(" & "),
            headers.join(", ")
        ))
    }

    /// A record as one text; a null on top is nothing.
    fn record(&self, record: &Value) -> String {
        let mut record = record.clone();
        if let Value::Object(map) = &mut record {
            map.retain(|_, value| !value.is_null());
        }
        self.still(&sorted(&record).to_string())
    }

    /// A state as one text; how long the recording took does not count.
    fn state(&self, state: &Value) -> String {
        let mut state = sorted(state);
        if let Some(back) = state.get_mut("lookback_window").filter(|back| back.as_i64() > Some(0)) {
            *back = 1.into();
        }
        if let Some(Value::Array(states)) = state.get_mut("states") {
            states.sort_by_key(ToString::to_string);
        }
        self.still(&state.to_string())
    }
}

/// The pairs of a form, decoded and in order.
fn pairs(form: &str) -> Vec<String> {
    let mut pairs: Vec<String> =
        form.split('&').filter(|pair| !pair.is_empty()).map(|pair| decoded(&pair.replace('+', " "))).collect();
    pairs.sort();
    pairs
}

fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let (mut out, mut at) = (Vec::new(), 0);
    while at < bytes.len() {
        let hex =
            text.get(at + 1..at + 3).filter(|_| bytes[at] == b'%').and_then(|hex| u8::from_str_radix(hex, 16).ok());
        out.push(hex.unwrap_or(bytes[at]));
        at += if hex.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let entries: BTreeMap<_, _> = map.iter().map(|(key, value)| (key.clone(), sorted(value))).collect();
            Value::Object(entries.into_iter().collect::<Map<_, _>>())
        }
        Value::Array(items) => Value::Array(items.iter().map(sorted).collect()),
        other => other.clone(),
    }
}

/// JSON for what Python prints of a dictionary.
fn python_to_json(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if c == '\'' || c == '"' {
            let mut end = 1;
            while !rest[end..].starts_with(c) {
                end += if rest[end..].starts_with('\\') { 2 } else { rest[end..].chars().next().unwrap().len_utf8() };
            }
            let content = rest[1..end].replace("\\'", "'").replace('"', "\\\"");
            out.push_str(&format!("\"{content}\""));
            rest = &rest[end + 1..];
            continue;
        }
        let word = [("True", "true"), ("False", "false"), ("None", "null")]
            .into_iter()
            .find(|(word, _)| rest.starts_with(word));
        match word {
            Some((word, json)) => {
                out.push_str(json);
                rest = &rest[word.len()..];
            }
            None => {
                out.push(c);
                rest = &rest[c.len_utf8()..];
            }
        }
    }
    out
}
