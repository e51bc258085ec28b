//! An SQS queue is mapped to a function as Lambda maps it: batches, partial failures, order, visibility, dead letters, loops.
//! And a schedule calls it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail, and says what it saw")]

use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{QueueAttributeName, SendMessageBatchRequestEntry};
use etalon_sandbox::aws::sqs;
use etalon_sandbox::counterpart::{self, Test};
use etalon_sandbox::gateway::{Gateway, Policies};
use etalon_sandbox::lambda::{Function, Mishap, Settings, VISITS_MAX};
use etalon_sandbox::moto::Moto;
use etalon_sandbox::poller::{Mapping, Poller};
use etalon_sandbox::scheduler::{Schedule, Target};
use serde_json::{Value, json};

mod function;

use function::{program, runtime, until};

fn main() -> ExitCode {
    function::main(|| counterpart::main(Moto::start, TESTS))
}

/// Names tests once, for the list and for the runner; each has a thread and a runtime of its own.
macro_rules! tests {
    ($($name:ident)*) => {
        const TESTS: &[Test<Moto>] =
            &[$((stringify!($name), |moto| runtime().block_on($name(World::new(moto, stringify!($name)))))),*];
    };
}

tests! {
    messages_come_as_the_event_of_lambda
    a_batch_waits_for_its_window
    what_fails_comes_again_and_what_does_not_is_gone
    a_function_that_ends_fails_the_whole_batch
    what_a_mapping_does_not_let_a_function_tell_is_lost
    a_message_that_always_fails_ends_among_the_dead_letters
    no_more_batches_at_once_than_allowed
    messages_of_a_group_come_one_batch_at_a_time_and_in_order
    a_visibility_under_the_timeout_is_refused
    a_response_that_is_lost_brings_the_work_again
    a_loop_is_stopped_unless_it_is_allowed
    a_schedule_fires_with_its_time_and_again
    an_event_that_fails_three_times_is_a_dead_letter
    an_event_that_is_not_tried_again_fails_once
}

struct World {
    client: Client,
    url: String,
    test: &'static str,
}

impl World {
    fn new(moto: &Moto, test: &'static str) -> Self {
        Self { client: sqs(moto.url()), url: moto.url().to_owned(), test }
    }

    /// A queue with its dead letters, which a message comes to when it was received so often.
    async fn queue(&self, visibility: u32, receives_max: u32, is_fifo: bool) -> Queue {
        let suffix = if is_fifo { ".fifo" } else { "" };
        let made = async |kind: &str, redrive: Option<String>| {
            let mut call = self.client.create_queue().queue_name(format!("{}-{kind}{suffix}", self.test));
            call = call.attributes(QueueAttributeName::VisibilityTimeout, visibility.to_string());
            if is_fifo {
                call = call.attributes(QueueAttributeName::FifoQueue, "true");
            }
            if let Some(redrive) = redrive {
                call = call.attributes(QueueAttributeName::RedrivePolicy, redrive);
            }
            call.send().await.unwrap().queue_url.unwrap()
        };
        let dead = made("dead", None).await;
        let arn = format!("arn:aws:sqs:us-east-1:123456789012:{}-dead{suffix}", self.test);
        let redrive = json!({ "deadLetterTargetArn": arn, "maxReceiveCount": receives_max.to_string() });
        let url = made("queue", Some(redrive.to_string())).await;
        Queue { client: self.client.clone(), url, dead }
    }

    fn function(&self) -> Arc<Function> {
        self.function_with(|_| {})
    }

    fn function_with(&self, change: impl FnOnce(&mut Settings)) -> Arc<Function> {
        let mut settings = Settings::new(self.test, program());
        settings.timeout = Duration::from_secs(2);
        settings.environment.insert("AWS_ENDPOINT_URL".to_owned(), self.url.clone());
        change(&mut settings);
        Arc::new(Function::new(settings).unwrap())
    }

    async fn poller(&self, function: &Arc<Function>, mapping: Mapping) -> Poller {
        Poller::start(self.client.clone(), Arc::clone(function), mapping).await.unwrap()
    }
}

struct Queue {
    client: Client,
    url: String,
    dead: String,
}

impl Queue {
    async fn send(&self, bodies: &[Value], group: Option<&str>) {
        for bodies in bodies.chunks(10) {
            let entry = |(at, body): (usize, &Value)| {
                let entry = SendMessageBatchRequestEntry::builder().id(at.to_string()).message_body(body.to_string());
                let entry = entry.set_message_group_id(group.map(str::to_owned));
                let deduplication = group.map(|group| format!("{group}-{}", body.to_string().len() * 100 + at));
                entry.set_message_deduplication_id(deduplication).build().unwrap()
            };
            let entries = bodies.iter().enumerate().map(entry).collect();
            let sent = self.client.send_message_batch().queue_url(&self.url).set_entries(Some(entries)).send().await;
            assert!(sent.unwrap().failed.is_empty());
        }
    }

    /// Messages that are there, waiting or in flight.
    async fn left(&self, url: &str) -> u32 {
        use QueueAttributeName as Name;
        let call = self.client.get_queue_attributes().queue_url(url).attribute_names(Name::All);
        let attributes = call.send().await.unwrap().attributes.unwrap();
        let number = |name: Name| attributes[&name].parse::<u32>().unwrap();
        number(Name::ApproximateNumberOfMessages) + number(Name::ApproximateNumberOfMessagesNotVisible)
    }

    async fn is_empty(&self) -> bool {
        self.left(&self.url).await == 0
    }
}

fn lines(function: &Function, prefix: &str) -> Vec<String> {
    function.log().iter().filter_map(|line| line.strip_prefix(prefix)).map(str::to_owned).collect()
}

async fn messages_come_as_the_event_of_lambda(world: World) {
    let (queue, function) = (world.queue(30, 5, true).await, world.function());
    queue.send(&[json!({})], Some("g")).await;
    let _poller = world.poller(&function, Mapping::new(&queue.url)).await;
    until(async || queue.is_empty().await && !lines(&function, "event ").is_empty()).await;
    let event: Value = serde_json::from_str(&lines(&function, "event ")[0]).unwrap();
    let record = &event["Records"][0];
    assert_eq!(event["Records"].as_array().unwrap().len(), 1);
    for (name, value) in [
        ("body", "{}"),
        ("md5OfBody", "99914b932bd37a50b983c5e7c90ae93b"),
        ("eventSource", "aws:sqs"),
        ("eventSourceARN", "arn:aws:sqs:us-east-1:123456789012:messages_come_as_the_event_of_lambda-queue.fifo"),
        ("awsRegion", "us-east-1"),
    ] {
        assert_eq!(record[name], value, "{record}");
    }
    assert!(record["messageId"].is_string() && record["receiptHandle"].is_string());
    assert_eq!(record["messageAttributes"], json!({}));
    let attributes = &record["attributes"];
    assert_eq!((&attributes["ApproximateReceiveCount"], &attributes["MessageGroupId"]), (&json!("1"), &json!("g")));
    for name in ["SentTimestamp", "ApproximateFirstReceiveTimestamp", "SenderId", "MessageDeduplicationId"] {
        assert!(attributes[name].is_string(), "{name}: {record}");
    }
}

async fn a_batch_waits_for_its_window(world: World) {
    let (queue, function) = (world.queue(30, 5, false).await, world.function());
    queue.send(&vec![json!({}); 25], None).await;
    let mapping = Mapping { batch_size: 100, window: Duration::from_secs(1), ..Mapping::new(&queue.url) };
    let poller = world.poller(&function, mapping).await;
    until(async || queue.is_empty().await && poller.polled().done == 25).await;
    assert_eq!(lines(&function, "batch of "), ["25"]);
    assert_eq!(poller.polled().batches, 1);
}

async fn what_fails_comes_again_and_what_does_not_is_gone(world: World) {
    let (queue, function) = (world.queue(2, 3, false).await, world.function());
    queue.send(&[json!({ "fail": "always" }), json!({}), json!({ "say": "x" })], None).await;
    let poller = world.poller(&function, Mapping::new(&queue.url)).await;
    until(async || poller.polled().done == 2 && poller.polled().failed == 3 && queue.is_empty().await).await;
    let begun = |body: &str| lines(&function, "begins  ").iter().filter(|line| *line == body).count();
    assert_eq!((begun(r#"{"fail":"always"}"#), begun("{}")), (3, 1));
    assert_eq!(queue.left(&queue.dead).await, 1);
}

/// Without `ReportBatchItemFailures` all messages of a batch are taken for done, whatever the function says of them.
async fn what_a_mapping_does_not_let_a_function_tell_is_lost(world: World) {
    let (queue, function) = (world.queue(2, 3, false).await, world.function());
    queue.send(&[json!({ "fail": "always" }), json!({})], None).await;
    let mapping = Mapping { reports_failures: false, ..Mapping::new(&queue.url) };
    let poller = world.poller(&function, mapping).await;
    until(async || poller.polled().done == 2 && queue.is_empty().await).await;
    assert_eq!((poller.polled().failed, queue.left(&queue.dead).await), (0, 0));
    assert!(lines(&function, "begins  ").iter().any(|line| line.contains("always")));
}

async fn a_function_that_ends_fails_the_whole_batch(world: World) {
    let (queue, function) = (world.queue(2, 2, false).await, world.function());
    queue.send(&[json!({}), json!({ "exit": 1 })], None).await;
    let poller = world.poller(&function, Mapping::new(&queue.url)).await;
    until(async || queue.is_empty().await).await;
    // Both are dead: whoever shares batches with a message that kills shares its end.
    assert_eq!((queue.left(&queue.dead).await, poller.polled().done), (2, 0));
    assert_eq!(function.totals().errors, function.totals().invocations);
}

async fn a_message_that_always_fails_ends_among_the_dead_letters(world: World) {
    let (queue, function) = (world.queue(2, 2, false).await, world.function());
    // Without partial failures, as when the response cannot be read.
    queue.send(&[json!({ "result": { "batchItemFailures": [{ "itemIdentifier": "nobody" }] } })], None).await;
    let poller = world.poller(&function, Mapping::new(&queue.url)).await;
    until(async || queue.left(&queue.dead).await == 1 && queue.is_empty().await).await;
    assert_eq!((poller.polled().failed, poller.polled().done), (2, 0));
}

async fn no_more_batches_at_once_than_allowed(world: World) {
    let queue = world.queue(30, 5, false).await;
    let function = world.function_with(|settings| settings.concurrency = 10);
    queue.send(&vec![json!({ "sleep_ms": 100 }); 8], None).await;
    let mapping = Mapping { batch_size: 1, concurrency: 2, ..Mapping::new(&queue.url) };
    let _poller = world.poller(&function, mapping).await;
    until(async || queue.is_empty().await).await;
    assert_eq!((function.totals().invocations, function.totals().cold_starts), (8, 2));
    assert_eq!(function.totals().throttles, 0);
}

async fn messages_of_a_group_come_one_batch_at_a_time_and_in_order(world: World) {
    let queue = world.queue(30, 5, true).await;
    let function = world.function();
    let body = |n: usize| json!({ "sleep_ms": 20, "say": format!("n{n}") });
    for group in ["a", "b"] {
        queue.send(&(0..6).map(body).collect::<Vec<_>>(), Some(group)).await;
    }
    let mapping = Mapping { batch_size: 2, ..Mapping::new(&queue.url) };
    let _poller = world.poller(&function, mapping).await;
    let ended = |group: &str| lines(&function, &format!("ends {group} "));
    until(async || queue.is_empty().await && ended("a").len() == 6 && ended("b").len() == 6).await;
    let mut under_way = std::collections::BTreeMap::<String, i32>::new();
    for line in function.log() {
        let mut words = line.splitn(3, ' ');
        let change = match words.next() {
            Some("begins") => 1,
            Some("ends") => -1,
            _ => continue,
        };
        let count = under_way.entry(words.next().unwrap().to_owned()).or_default();
        *count += change;
        assert!(*count <= 1, "a message begins before the one before it has ended");
    }
    let all: Vec<String> = (0..6).map(|n| body(n).to_string()).collect();
    assert_eq!((ended("a"), ended("b")), (all.clone(), all));
}

async fn a_visibility_under_the_timeout_is_refused(world: World) {
    let queue = world.queue(1, 5, false).await;
    let refused = Poller::start(world.client.clone(), world.function(), Mapping::new(&queue.url)).await;
    assert!(refused.unwrap_err().to_string().contains("visibility timeout of 1 s"));
}

async fn a_response_that_is_lost_brings_the_work_again(world: World) {
    let (queue, function) = (world.queue(2, 5, false).await, world.function());
    function.inject(Mishap::LoseResponse);
    queue.send(&[json!({})], None).await;
    let poller = world.poller(&function, Mapping::new(&queue.url)).await;
    until(async || queue.is_empty().await && poller.polled().done == 1).await;
    assert_eq!((poller.polled().failed, function.totals().invocations), (1, 2));
}

async fn a_loop_is_stopped_unless_it_is_allowed(world: World) {
    let gateway = Gateway::open(&world.url, Policies::new()).await.unwrap();
    let queue = world.queue(30, 5, false).await;
    let function =
        world.function_with(|settings| drop(settings.environment.insert("AWS_ENDPOINT_URL".to_owned(), gateway.url())));
    queue.send(&[json!({ "send": queue.url })], None).await;
    let poller = world.poller(&function, Mapping::new(&queue.url)).await;
    until(async || poller.polled().stopped == 1).await;
    assert_eq!(function.totals().invocations, u64::from(VISITS_MAX));
    assert_eq!((queue.left(&queue.dead).await, queue.left(&queue.url).await), (1, 0));
    let sent = gateway.requests().get(&("sqs".to_owned(), "SendMessage".to_owned())).copied();
    assert_eq!(sent, Some(u64::from(VISITS_MAX)));
    poller.stop().await;

    queue.send(&[json!({ "send": queue.url })], None).await;
    let mapping = Mapping { allows_loops: true, ..Mapping::new(&queue.url) };
    let _poller = world.poller(&function, mapping).await;
    until(async || function.totals().invocations > u64::from(3 * VISITS_MAX)).await;
}

/// A schedule of a function, with dead letters.
fn schedule(world: &World, function: &Arc<Function>, dead_letters: &str, input: &Value) -> Schedule {
    let target = Target {
        function: Arc::clone(function),
        client: world.client.clone(),
        dead_letters: Some(dead_letters.to_owned()),
        retries_max: 2,
        pause: Duration::from_millis(5),
    };
    Schedule { name: "nightly".to_owned(), input: input.to_string(), target }
}

async fn a_schedule_fires_with_its_time_and_again(world: World) {
    let (function, queue) = (world.function(), world.queue(5, 3, false).await);
    let input = json!({ "say": "<aws.scheduler.scheduled-time> <aws.scheduler.schedule-arn>" });
    let schedule = schedule(&world, &function, &queue.dead, &input);
    let outcome = schedule.fire(UNIX_EPOCH + Duration::from_secs(1_767_225_600)).await.unwrap();
    assert!(outcome.result.is_ok());
    let told = "2026-01-01T00:00:00Z arn:aws:scheduler:us-east-1:123456789012:schedule/default/nightly";
    until(async || function.log().iter().any(|line| line == told)).await;
    let ticker = schedule.start(Duration::from_millis(10));
    until(async || function.totals().invocations > 3).await;
    drop(ticker);
}

async fn an_event_that_fails_three_times_is_a_dead_letter(world: World) {
    let (function, queue) = (world.function(), world.queue(5, 3, false).await);
    let input = json!({ "fail": "not today" });
    let outcome = schedule(&world, &function, &queue.dead, &input).fire(UNIX_EPOCH).await.unwrap();
    assert!(outcome.result.is_err());
    assert_eq!(function.totals().invocations, 3);
    let received = world.client.receive_message().queue_url(&queue.dead).message_attribute_names("All").send().await;
    let letter = received.unwrap().messages.unwrap().pop().unwrap();
    assert_eq!(letter.body, Some(input.to_string()));
    let attributes = letter.message_attributes.unwrap();
    assert_eq!(attributes["ErrorMessage"].string_value.as_deref(), Some("not today"));
    assert_eq!(attributes["RequestID"].string_value, Some(outcome.report.request));
}

async fn an_event_that_is_not_tried_again_fails_once(world: World) {
    let (function, queue) = (world.function(), world.queue(5, 3, false).await);
    let mut schedule = schedule(&world, &function, &queue.dead, &json!({ "fail": "not today" }));
    schedule.target.retries_max = 0;
    schedule.target.dead_letters = None;
    assert!(schedule.fire(UNIX_EPOCH).await.unwrap().result.is_err());
    assert_eq!((function.totals().invocations, queue.left(&queue.dead).await), (1, 0));
}
