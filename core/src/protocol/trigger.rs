//! Trigger: the events that call extract: of a schedule, of an object that has arrived, of a person, or Etalon's own messages.
//!
//! A pure function turns events into starts, so that the same event makes the same run, however often it is delivered. Events
//! have the forms of Amazon EventBridge, its Scheduler, and Amazon S3.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Map;
use serde_json::Value;

use crate::error::Error;
use crate::error::ErrorKind;
use crate::plan::identity;
use crate::protocol::Document;
use crate::protocol::Start;
use crate::protocol::Work;
use crate::source::s3::decode_key;
use crate::value::Fraction;
use crate::value::datetime::parse_rfc3339;

/// The event with which a schedule calls extract; EventBridge Scheduler replaces the words in angle brackets.
pub(crate) const SCHEDULE_INPUT: &str =
    r#"{"schedule":"<aws.scheduler.schedule-arn>","scheduled_time":"<aws.scheduler.scheduled-time>"}"#;
/// The event with which a schedule calls load: it looks for loads whose message was lost.
pub const SWEEP_INPUT: &str = r#"{"sweep":true}"#;

/// A start, and the object's bucket as its caller names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trigger {
    /// What is to be done; the name of an object is its key in the bucket.
    pub start: Start,
    /// The bucket that the object is in, where an object has arrived.
    pub bucket: Option<String>,
}

/// `{"schedule": ARN, "scheduled_time": time}`: the input that a schedule is deployed with.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Scheduled {
    schedule: String,
    scheduled_time: String,
}

/// `{"prefix": …, "backfill": true, "run": …, "batch_time": …}`, all of them optional: a person's call. In place of `prefix`,
/// one of `release`, `discard`, `undiscard`, `redrive` and `reload`, each a list of names of objects, where an empty one means
/// all.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Manual {
    #[serde(default)]
    prefix: String,
    #[serde(default)]
    backfill: bool,
    run: Option<String>,
    batch_time: Option<String>,
    release: Option<Vec<String>>,
    discard: Option<Vec<String>>,
    undiscard: Option<Vec<String>>,
    redrive: Option<Vec<String>>,
    reload: Option<Vec<String>>,
}

/// An event of EventBridge; of its members, those that matter here.
#[derive(Deserialize)]
struct Event {
    source: String,
    #[serde(rename = "detail-type")]
    detail_type: String,
    time: String,
    #[serde(default)]
    resources: Vec<String>,
    #[serde(default)]
    detail: Value,
}

#[derive(Deserialize)]
struct Created {
    bucket: Bucket,
    object: CreatedObject,
}

#[derive(Deserialize)]
struct Bucket {
    name: String,
}

/// An object in an event of either kind. The names of members differ between them, and between S3 and what stands in for it.
#[derive(Deserialize)]
struct CreatedObject {
    key: String,
    #[serde(default, alias = "eTag")]
    etag: String,
    #[serde(default)]
    sequencer: String,
}

/// A record of a notification that S3 sends itself.
#[derive(Deserialize)]
struct Record {
    #[serde(rename = "eventName")]
    name: String,
    #[serde(rename = "eventTime")]
    time: String,
    s3: Created,
}

/// The starts that a call of extract asks for; none if there is nothing to do. `now` is the time of the call in microseconds
/// since 1970, which names a person's run that has no name of its own.
pub fn triggers(text: &str, pipeline: &str, now: i64) -> Result<Vec<Trigger>, Error> {
    let value: Value = serde_json::from_str(text).map_err(|error| refused(format!("not JSON: {error}")))?;
    let Value::Object(members) = &value else { return Err(refused("a start is a JSON object".to_owned())) };
    let has = |name: &str| members.contains_key(name);
    if has("work") {
        return Ok(vec![Trigger { start: super::parse::<Start>(text.as_bytes())?, bucket: None }]);
    }
    if has("Records") {
        return notification(members, pipeline, now);
    }
    // A topic between the bucket and the queue puts what it passes on into an envelope of its own.
    if has("TopicArn")
        && let Some(message) = members.get("Message").and_then(Value::as_str)
    {
        return triggers(message, pipeline, now);
    }
    // S3 says so once, when a notification is set up.
    if members.get("Event").and_then(Value::as_str) == Some("s3:TestEvent") {
        return Ok(Vec::new());
    }
    if has("detail-type") {
        return event(read("an event", value)?, pipeline).map(|trigger| trigger.into_iter().collect());
    }
    let start = if has("schedule") || has("scheduled_time") {
        let Scheduled { schedule, scheduled_time } = read("a schedule's input", value)?;
        scheduled(pipeline, &schedule, &scheduled_time)?
    } else {
        manual(read("a start by hand", value)?, pipeline, now)?
    };
    Ok(vec![Trigger { start, bucket: None }])
}

fn event(event: Event, pipeline: &str) -> Result<Option<Trigger>, Error> {
    match (event.source.as_str(), event.detail_type.as_str()) {
        // What was restored from an archive can be read from now on.
        ("aws.s3", "Object Created" | "Object Restore Completed") => {
            created(read("an event of an object", event.detail)?, pipeline, &event.time).map(Some)
        }
        // Whatever else S3 tells of an object, deletions and tags among them, brings nothing to read.
        ("aws.s3", kind) if kind.starts_with("Object ") => Ok(None),
        // A rule of EventBridge, or a schedule that was given no input.
        ("aws.events" | "aws.scheduler", "Scheduled Event") => {
            let rule = event.resources.first().map_or("", String::as_str);
            Ok(Some(Trigger { start: scheduled(pipeline, rule, &event.time)?, bucket: None }))
        }
        (source, kind) => Err(refused(format!("an event `{kind}` of {source} starts nothing"))),
    }
}

fn notification(members: &Map<String, Value>, pipeline: &str, now: i64) -> Result<Vec<Trigger>, Error> {
    let records = members.get("Records").cloned().unwrap_or_default();
    // A topic calls a function with records of its own.
    let passed: Vec<&str> = records.as_array().into_iter().flatten().filter_map(passed_on).collect();
    if !passed.is_empty() {
        let passed: Result<Vec<_>, Error> = passed.iter().map(|message| triggers(message, pipeline, now)).collect();
        return passed.map(|passed| passed.concat());
    }
    let records: Vec<Record> = read("a notification of S3", records)?;
    let mut triggers = Vec::new();
    for Record { name, time, mut s3 } in records {
        // A removal is notified too, where somebody asked for it; there is nothing to read.
        if name.starts_with("ObjectCreated:") || name == "ObjectRestore:Completed" {
            s3.object.key = decode_key(&s3.object.key);
            triggers.push(created(s3, pipeline, &time)?);
        }
    }
    Ok(triggers)
}

/// What a topic passes on in a record.
fn passed_on(record: &Value) -> Option<&str> {
    record.pointer("/Sns/Message")?.as_str()
}

fn created(created: Created, pipeline: &str, time: &str) -> Result<Trigger, Error> {
    let Created { bucket, object } = created;
    let run = identity("created", &[pipeline, &bucket.name, &object.key, &object.etag, &object.sequencer]);
    let start = start(pipeline, run, instant(time)?, Work::Object(object.key));
    Ok(Trigger { start, bucket: Some(bucket.name) })
}

fn scheduled(pipeline: &str, schedule: &str, time: &str) -> Result<Start, Error> {
    let run = identity("scheduled", &[pipeline, schedule, time]);
    Ok(start(pipeline, run, instant(time)?, Work::Prefix(String::new())))
}

fn manual(manual: Manual, pipeline: &str, now: i64) -> Result<Start, Error> {
    let Manual { prefix, backfill, run, batch_time, release, discard, undiscard, redrive, reload } = manual;
    let batch_time = batch_time.as_deref().map_or(Ok(now), instant)?;
    let run = run.unwrap_or_else(|| identity("manual", &[pipeline, &prefix, &now.to_string()]));
    let wanted = [
        release.map(Work::Release),
        discard.map(Work::Discard),
        undiscard.map(Work::Undiscard),
        redrive.map(Work::Redrive),
        reload.map(Work::Reload),
    ];
    let mut wanted = wanted.into_iter().flatten();
    let work = wanted.next();
    if wanted.next().is_some() || (work.is_some() && (backfill || !prefix.is_empty())) {
        return Err(refused("a start asks for one thing".to_owned()));
    }
    Ok(Start { backfill, ..start(pipeline, run, batch_time, work.unwrap_or(Work::Prefix(prefix))) })
}

fn start(pipeline: &str, run: String, batch_time: i64, work: Work) -> Start {
    Start { pipeline: pipeline.to_owned(), run, batch_time, work, backfill: false, after: None, hop: 0, landings: 0 }
}

fn read<T: DeserializeOwned>(what: &str, value: Value) -> Result<T, Error> {
    serde_json::from_value(value).map_err(|error| refused(format!("not {what}: {error}")))
}

fn refused(message: String) -> Error {
    Error::new(ErrorKind::Refused, format!("{}: {message}", Start::KIND))
}

/// Microseconds since 1970 of a time as RFC 3339 has it.
fn instant(text: &str) -> Result<i64, Error> {
    parse_rfc3339(text.as_bytes(), Fraction::Round).map_err(|fault| refused(fault.message.into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::print;

    fn one(text: &str) -> Trigger {
        let triggers = triggers(text, "orders", 7).unwrap();
        assert_eq!(triggers.len(), 1, "{text}");
        triggers.into_iter().next().unwrap()
    }

    fn fault(text: &str) -> String {
        triggers(text, "orders", 7).unwrap_err().to_string()
    }

    #[test]
    fn a_schedule_starts_a_listing_at_its_own_time() {
        let text = r#"{"schedule": "arn:x", "scheduled_time": "2026-11-23T06:00:00Z"}"#;
        let Trigger { start, bucket } = one(text);
        assert_eq!((start.work.clone(), start.batch_time), (Work::Prefix(String::new()), 1_795_413_600_000_000));
        assert_eq!(bucket, None);
        assert_eq!(one(text).start.run, start.run, "the same call is the same run");
        assert_ne!(one(&text.replace("06:", "07:")).start.run, start.run);
        let rule = r#"{"version":"0","detail-type":"Scheduled Event","source":"aws.events","account":"1",
            "time":"2026-11-23T06:00:00Z","region":"us-east-1","resources":["arn:x"],"detail":{}}"#;
        assert_eq!(one(rule).start, start);
    }

    #[test]
    fn an_object_that_arrives_is_told_by_either_kind_of_event() {
        let event = r#"{"version":"0","detail-type":"Object Created","source":"aws.s3","time":"2021-11-12T00:00:00Z",
            "resources":["arn:aws:s3:::landing"],"detail":{"version":"0","bucket":{"name":"landing"},"object":{
            "key":"in/a b+c.csv","size":5,"etag":"b1946","sequencer":"61"},"reason":"PutObject"}}"#;
        let told = one(event);
        assert_eq!(told.start.work, Work::Object("in/a b+c.csv".to_owned()));
        assert_eq!(told.bucket.as_deref(), Some("landing"));
        assert_eq!(told.start.batch_time, 1_636_675_200_000_000);
        let record = r#"{"Records":[{"eventSource":"aws:s3","eventName":"ObjectRemoved:Delete",
            "eventTime":"2021-11-12T00:00:00.000Z","s3":{"bucket":{"name":"landing"},"object":{"key":"x"}}},
            {"eventSource":"aws:s3","eventName":"ObjectCreated:Put","eventTime":"2021-11-12T00:00:00.000Z",
            "s3":{"bucket":{"name":"landing"},"object":{"key":"in/a+b%2Bc.csv","size":5,"eTag":"b1946","sequencer":"61"}}}]}"#;
        assert_eq!(one(record), told, "a key is encoded in a notification");
        assert_eq!(triggers(r#"{"Service":"Amazon S3","Event":"s3:TestEvent"}"#, "orders", 7), Ok(Vec::new()));
    }

    #[test]
    fn a_schedule_without_an_input_starts_a_listing() {
        let text = r#"{"version":"0","id":"1","detail-type":"Scheduled Event","source":"aws.scheduler","account":"1",
            "time":"2026-11-23T06:00:00Z","region":"us-east-1","resources":["arn:x"],"detail":"{}"}"#;
        assert_eq!(one(text).start, one(r#"{"schedule": "arn:x", "scheduled_time": "2026-11-23T06:00:00Z"}"#).start);
    }

    #[test]
    fn what_happens_to_an_object_starts_something_where_there_is_something_to_read() {
        let event = |kind: &str| {
            let text = format!(
                r#"{{"detail-type":"{kind}","source":"aws.s3","time":"2021-11-12T00:00:00Z","detail":{{"bucket":{{"name":
                "landing"}},"object":{{"key":"in/a.csv","etag":"b1946"}}}}}}"#
            );
            triggers(&text, "orders", 7).unwrap().len()
        };
        assert_eq!((event("Object Created"), event("Object Restore Completed")), (1, 1));
        for kind in ["Object Deleted", "Object Tags Added", "Object Tags Deleted", "Object Restore Initiated"] {
            assert_eq!(event(kind), 0, "{kind}");
        }
        let notified = |name: &str| {
            let text = format!(
                r#"{{"Records":[{{"eventName":"{name}","eventTime":"2021-11-12T00:00:00Z","s3":{{"bucket":{{"name":
                "landing"}},"object":{{"key":"in/a.csv"}}}}}}]}}"#
            );
            triggers(&text, "orders", 7).unwrap().len()
        };
        assert_eq!((notified("ObjectCreated:Put"), notified("ObjectRestore:Completed")), (1, 1));
        for name in ["ObjectRemoved:Delete", "ObjectTagging:Put", "ObjectRestore:Post"] {
            assert_eq!(notified(name), 0, "{name}");
        }
    }

    #[test]
    fn a_topic_on_the_way_changes_nothing() {
        let text = r#"{"Records":[{"eventName":"ObjectCreated:Put","eventTime":"2021-11-12T00:00:00Z","s3":{"bucket":
            {"name":"landing"},"object":{"key":"in/a.csv"}}}]}"#;
        let message = Value::from(text);
        let queued = format!(r#"{{"Type":"Notification","MessageId":"1","TopicArn":"arn:t","Message":{message}}}"#);
        let called =
            format!(r#"{{"Records":[{{"EventSource":"aws:sns","Sns":{{"TopicArn":"arn:t","Message":{message}}}}}]}}"#);
        assert_eq!((one(&queued), one(&called)), (one(text), one(text)));
        let wrong = r#"{"TopicArn":"arn:t","Message":"hello"}"#;
        assert!(fault(wrong).contains("not JSON"));
    }

    #[test]
    fn a_person_starts_a_listing_or_a_backfill() {
        let Trigger { start, .. } = one("{}");
        assert_eq!((start.work, start.batch_time, start.backfill), (Work::Prefix(String::new()), 7, false));
        let Trigger { start, .. } = one(
            r#"{"prefix": "in/2026", "backfill": true, "run": "again", "batch_time": "1970-01-01T00:00:01+00:00"}"#,
        );
        assert_eq!((start.run.as_str(), start.batch_time, start.backfill), ("again", 1_000_000, true));
        assert_eq!(start.work, Work::Prefix("in/2026".to_owned()));
    }

    #[test]
    fn a_person_decides_about_what_is_held() {
        assert_eq!(one(r#"{"release": ["a.csv"]}"#).start.work, Work::Release(vec!["a.csv".to_owned()]));
        assert_eq!(one(r#"{"discard": []}"#).start.work, Work::Discard(Vec::new()));
        assert_eq!(one(r#"{"reload": []}"#).start.work, Work::Reload(Vec::new()));
        let two = "a start message: a start asks for one thing";
        assert_eq!(fault(r#"{"release": [], "discard": []}"#), two);
        assert_eq!(fault(r#"{"redrive": [], "prefix": "in/"}"#), two);
    }

    #[test]
    fn a_message_of_its_own_is_read_as_it_is() {
        let start = one("{}").start;
        assert_eq!(one(&print(&start)).start, start);
    }

    #[test]
    fn what_starts_nothing_is_refused_with_a_word() {
        assert_eq!(fault("["), "a start message: not JSON: EOF while parsing a list at line 1 column 1");
        assert_eq!(fault("7"), "a start message: a start is a JSON object");
        let unknown = fault(r#"{"prefx": "in/"}"#);
        assert!(unknown.contains("unknown field `prefx`, expected one of `prefix`, `backfill`"), "{unknown}");
        let other = r#"{"detail-type":"EC2 Instance Launch","source":"aws.ec2","time":"2021-11-12T00:00:00Z"}"#;
        assert_eq!(fault(other), "a start message: an event `EC2 Instance Launch` of aws.ec2 starts nothing");
        let never = fault(r#"{"schedule": "arn:x", "scheduled_time": "<aws.scheduler.scheduled-time>"}"#);
        assert!(never.contains("<aws.scheduler.scheduled-time>"), "{never}");
    }
}
