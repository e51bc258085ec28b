//! Limits: what is large, wide or many goes through the functions, or is refused with a number.
//!
//! `ETALON_SMALL_OBJECTS=10000 ETALON_LATENCY_MS=25` and `ETALON_EVENTS=50000` try more of them; the tests say how long it took.

use std::fmt::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

use etalon_core::protocol::{Step, Unit, UnitState};
use etalon_core::receipt::Counts;
use etalon_sandbox::cloud::{Cloud, Settings};
use serde_json::json;

use super::faults::Chance;
use super::laptop::cells;
use super::{PATIENCE, Shared, orders, settle, settle_within};

/// Rows of a small object.
const ROWS: u32 = 5;
const MIB: usize = 1024 * 1024;
/// The most bytes of a record.
const LONGEST_RECORD: usize = 16 * MIB;
/// The most bytes of a text of Redshift.
const TEXT_BYTES_MAX: usize = 65_535;

/// A pipeline of objects of a few rows.
fn small(name: &str) -> String {
    format!(
        "
etalon: 1
pipeline: {name}
source:
  files: in/*.csv
  format: csv
  fields: {{ id: bigint, name: }}
columns: {{ id: bigint required, name: varchar(20) required }}

target: {{ table: analytics.{name}, write: append }}
"
    )
}

/// A small object, by its number.
fn object(number: u32) -> (String, Vec<u8>) {
    let mut text = "id,name\n".to_owned();
    for row in 0..ROWS {
        let _ = writeln!(text, "{},row {row}", number * ROWS + row);
    }
    (format!("in/{number:05}.csv"), text.into_bytes())
}

/// Every row of so many small objects is in the table, once.
fn hold_against(cloud: &Cloud, name: &str, objects: u32) {
    let found = cells(cloud.database_url(), &format!("analytics.{name}"), "COUNT(*), COUNT(DISTINCT id), MAX(id)");
    let rows = u64::from(objects * ROWS);
    let wanted = [rows, rows, rows - 1].map(|number| Some(number.to_string()));
    assert_eq!(found, [wanted]);
    assert_eq!(cloud.ledger().unwrap().len(), objects as usize);
}

/// The patience with so many objects or events. The stand-ins answer one after the other, and slowly on a busy machine.
fn patience(many: u32) -> Duration {
    PATIENCE + Duration::from_secs(3 * u64::from(many))
}

/// A cloud in which a call may take as long as it does on AWS.
async fn unhurried(shared: &Shared, name: &str) -> Cloud {
    let settings = Settings::new(name, &small(name), shared.programs.clone());
    Cloud::start(Arc::clone(&shared.counterparts), settings).await.unwrap()
}

/// Requests of a function to a service, for each object.
fn requests(cloud: &Cloud, step: Step, service: &str, objects: u32) -> f64 {
    let counts = cloud.requests_of(step);
    let all: u64 = counts.iter().filter(|((of, _), _)| of == service).map(|(_, count)| count).sum();
    all as f64 / f64::from(objects)
}

pub(crate) async fn a_small_object_takes_few_requests(shared: &Shared) {
    let objects = orders::number("ETALON_SMALL_OBJECTS", 100);
    let cloud = unhurried(shared, "small").await;
    for number in 0..objects {
        let (name, bytes) = object(number);
        cloud.upload(&name, bytes).await.unwrap();
    }
    cloud.set_latency(Duration::from_millis(orders::number("ETALON_LATENCY_MS", 0).into()));
    let begun = Instant::now();
    let start = json!({ "run": "by-hand" });
    // On a busy machine a call may not end in its time; it goes on where it was.
    let mut ended = 0;
    while cloud.event(&start).await.unwrap().result.is_err() {
        ended += 1;
        assert!(ended < objects, "it was ended {ended} times");
    }
    let extracted = begun.elapsed();
    settle_within(&cloud, patience(objects)).await;
    let took = begun.elapsed();
    hold_against(&cloud, "small", objects);
    let per_second = |time: Duration| f64::from(objects) / time.as_secs_f64();
    println!(
        "{objects} objects: the first call of extract took {extracted:?}, {:.1} objects/s; all {took:?}, {:.1} objects/s",
        per_second(extracted),
        per_second(took)
    );
    for step in Step::ALL {
        println!("{}: {:?}", step.name(), cloud.requests_of(step));
    }
    for (step, service, most) in [
        (Step::Extract, "s3", 8.0),
        (Step::Extract, "sqs", 1.1),
        (Step::Transform, "s3", 10.0),
        (Step::Transform, "sqs", 1.1),
        // It looks at every unit that waits, and takes what is there: the more loads, the more requests.
        (Step::Load, "s3", 24.0),
        (Step::Load, "sqs", 0.1),
    ] {
        let requests = requests(&cloud, step, service, objects);
        println!("{} {service}: {requests:.2} requests an object", step.name());
        assert!(requests <= most, "{}: {requests} requests to {service} an object", step.name());
    }
    // Those that are known cost their place in a listing.
    let before = requests(&cloud, Step::Extract, "s3", 1);
    assert!(cloud.event(&json!({ "run": "again" })).await.unwrap().result.is_ok());
    settle(&cloud).await;
    let again = requests(&cloud, Step::Extract, "s3", 1) - before;
    println!("a run without news: {again} requests");
    assert!(again <= 12.0 + f64::from(objects / 100), "{again} requests without news");
}

pub(crate) async fn a_burst_of_events_loses_nothing(shared: &Shared) {
    let events = orders::number("ETALON_EVENTS", 200);
    let objects = events / 10;
    let cloud = unhurried(shared, "burst").await;
    let other = cloud.upload("elsewhere/notes.txt", b"no rows".to_vec()).await.unwrap();
    let other = cloud.creation(&other).await.unwrap();
    let mut bodies = Vec::new();
    for number in 0..objects {
        let (name, bytes) = object(number);
        let key = cloud.upload(&name, bytes).await.unwrap();
        let created = cloud.creation(&key).await.unwrap();
        // Of ten events seven tell of the same object, one of another bucket, one of another prefix, and one of a removal.
        bodies.extend(std::iter::repeat_n(created.to_string(), 7));
        let mut elsewhere = created.clone();
        elsewhere["detail"]["bucket"]["name"] = "another-bucket".into();
        let mut removed = created;
        removed["detail-type"] = "Object Deleted".into();
        bodies.extend([elsewhere, other.clone(), removed].map(|event| event.to_string()));
    }
    let mut chance = Chance(0x9e37_79b9_7f4a_7c15);
    for place in (1..bodies.len()).rev() {
        bodies.swap(place, chance.below(place as u64 + 1) as usize);
    }
    let begun = Instant::now();
    cloud.send_all(cloud.extract(), &bodies).await.unwrap();
    let sent = begun.elapsed();
    settle_within(&cloud, patience(events)).await;
    println!("{events} events of {objects} objects: sent in {sent:?}, loaded after {:?}", begun.elapsed());
    hold_against(&cloud, "burst", objects);
    assert_eq!(cloud.dead_letters().await.unwrap(), []);
    assert!(cloud.units().await.unwrap().iter().all(|unit| !unit.is_held() && !unit.is_pending()));
}

pub(crate) async fn a_record_has_at_most_16_mib(shared: &Shared) {
    let texts: String = (0..16).map(|number| format!(", t{number:02}: ")).collect();
    let columns: String = (0..16).map(|number| format!(", t{number:02}: varchar({TEXT_BYTES_MAX})")).collect();
    let pipeline = format!(
        "
etalon: 1
pipeline: records
source:
  files: in/*.csv
  format: csv
  fields: {{ id: bigint, note: {texts} }}
columns: {{ id: bigint required, letters: {{ from: length(note), type: bigint }}{columns} }}

limits: {{ rejects: 60% }}
target: {{ table: analytics.records, write: append }}
"
    );
    let cloud = shared.cloud_of(Settings::new("records", &pipeline, shared.programs.clone()), 0).await;
    let mut text = "id,note".to_owned();
    (0..16).for_each(|number| text += &format!(",t{number:02}"));
    let mut record = |id: u32, note: &str, texts: [&str; 16]| {
        text += &format!("\n{id},{note},{}", texts.join(","));
    };
    let long = "x".repeat(TEXT_BYTES_MAX);
    // A mebibyte in the table.
    record(1, "", [&long; 16]);
    // What is around the note: an id, seventeen commas and the line end, which counts.
    let around = 1 + 17 + 1;
    record(2, &"x".repeat(LONGEST_RECORD - around), [""; 16]);
    record(3, &"x".repeat(LONGEST_RECORD - around + 1), [""; 16]);
    let mut too_long = [""; 16];
    let longer = "x".repeat(TEXT_BYTES_MAX + 1);
    too_long[7] = &longer;
    record(4, "", too_long);
    cloud.upload("in/records.csv", text.into_bytes()).await.unwrap();
    super::run(&cloud).await;

    let found = cells(cloud.database_url(), "analytics.records", "id, letters, octet_length(t00), octet_length(t15)");
    let text = |number: usize| Some(number.to_string());
    let longest = LONGEST_RECORD - around;
    assert_eq!(
        found,
        [vec![text(1), None, text(TEXT_BYTES_MAX), text(TEXT_BYTES_MAX)], vec![text(2), text(longest), None, None]]
    );
    let receipts = cloud.receipts().await.unwrap();
    let mut counts = Counts::default();
    receipts.iter().for_each(|receipt| counts.add(receipt.counts));
    assert_eq!((counts.read, counts.staged, counts.quarantined), (4, 2, 2));
    let mut words = Vec::new();
    for name in cloud.names("quarantine/", 10).await.unwrap() {
        let lines = String::from_utf8(cloud.staged(&name).await.unwrap()).unwrap();
        words.extend(
            lines.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["reasons"].to_string()),
        );
    }
    println!("{words:?}");
    assert!(words.iter().any(|words| words.contains("16777217") && words.contains("16777216")), "{words:?}");
    assert!(words.iter().any(|words| words.contains("65536") && words.contains("65535")), "{words:?}");
    println!("transform: {} MiB", cloud.transform().function.totals().memory_peak / MIB as u64);
}

/// A pipeline of so many columns, of which the first is the key.
fn wide(name: &str, columns: usize, write: &str, letters: usize) -> (String, String) {
    let column = |number: usize| format!("c{number:0letters$}");
    let (mut fields, mut types, mut header, mut rows) =
        (String::new(), String::new(), String::new(), [(); 3].map(|()| String::new()));
    for number in 0..columns {
        let column = column(number);
        let _ = write!(fields, "\n    {column}: smallint");
        let _ = write!(types, "\n  {column}: smallint{}", if number == 0 { " required" } else { "" });
        let comma = if number == 0 { "" } else { "," };
        let _ = write!(header, "{comma}{column}");
        for (row, text) in rows.iter_mut().enumerate() {
            let _ = write!(text, "{comma}{}", if number == 0 { row } else { (number + row) % 1000 });
        }
    }
    let key = if write == "append" { String::new() } else { format!(", key: {}", column(0)) };
    let pipeline = format!(
        "
etalon: 1
pipeline: {name}
source:
  files: in/*.csv
  format: csv
  fields:{fields}
columns:{types}

target: {{ table: analytics.{name}, write: {write}{key} }}
"
    );
    (pipeline, format!("{header}\n{}\n", rows.join("\n")))
}

pub(crate) async fn a_table_has_500_and_1600_columns(shared: &Shared) {
    // Three columns of the table are Etalon's own; a load of a merge needs one more beside them.
    for (name, columns, write, letters) in
        [("wide500", 500, "merge", 40), ("wide1600", 1597, "append", 4), ("merge1599", 1596, "merge", 4)]
    {
        let (pipeline, text) = wide(name, columns, write, letters);
        let begun = Instant::now();
        let cloud = shared.cloud_of(Settings::new(name, &pipeline, shared.programs.clone()), 0).await;
        cloud.upload("in/a.csv", text.clone().into_bytes()).await.unwrap();
        super::run(&cloud).await;
        // Rows that are there, and one of them with another value.
        let changed = text.replacen(",250", ",777", 1);
        cloud.upload("in/b.csv", changed.into_bytes()).await.unwrap();
        super::run(&cloud).await;
        let last = columns - 1;
        let shown = format!("c{:0letters$}, c{last:0letters$}", 0);
        let found = cells(cloud.database_url(), &format!("analytics.{name}"), &shown);
        assert_eq!(found.len(), if write == "append" { 6 } else { 3 });
        let row = |row: usize| vec![Some(row.to_string()), Some(((last + row) % 1000).to_string())];
        assert!((0..3).all(|number| found.contains(&row(number))), "{found:?}");
        println!("{columns} columns, {write}: {:?}", begun.elapsed());
    }
    // Of a merge each column is named seven times in one statement.
    let (pipeline, text) = wide("long", 500, "merge", 60);
    let cloud = shared.cloud_of(Settings::new("long", &pipeline, shared.programs.clone()), 0).await;
    cloud.upload("in/a.csv", text.into_bytes()).await.unwrap();
    assert!(cloud.event(&json!({ "run": "by-hand" })).await.unwrap().result.is_ok());
    let begun = Instant::now();
    // It is held: no later attempt would be another.
    let units = loop {
        let units = cloud.units().await.unwrap();
        if units.iter().any(Unit::is_held) || begun.elapsed() > PATIENCE {
            break units;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    let words = match units.first().map(|unit| &unit.state) {
        Some(UnitState::Held { reasons, .. }) => reasons.join("; "),
        _ => String::new(),
    };
    println!("{words}");
    let wanted = "table `analytics.long`: with the names of its 500 columns a load takes a statement of ";
    assert!(words.contains(wanted), "{units:?}");
    assert!(words.contains(" bytes, and Redshift takes 204800; "), "{words}");

    let (pipeline, _) = wide("more", 1598, "append", 4);
    let refused =
        Cloud::start(shared.counterparts.clone(), Settings::new("more", &pipeline, shared.programs.clone())).await;
    let words = refused.unwrap_err().to_string();
    assert!(words.contains("the table would have 1601 columns, 3 of them Etalon's own; 1600 are the most"), "{words}");
}
