//! The ports over S3, SQS, EventBridge and Secrets Manager keep what they promise, against a stand-in.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::cell::RefCell;
use std::io::{self, Read, Write};
use std::net::TcpListener;
use std::process::{Command, ExitCode};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use aws_sdk_s3::config::interceptors::BeforeTransmitInterceptorContextRef;
use aws_sdk_s3::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_s3::error::BoxError;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ChecksumAlgorithm, CompletedMultipartUpload, CompletedPart};
use aws_sdk_sqs::types::QueueAttributeName;
use etalon_aws::client::Clients;
use etalon_aws::events::EventBridge;
use etalon_aws::objects::S3Objects;
use etalon_aws::queue::SqsQueue;
use etalon_aws::secrets::resolve;
use etalon_core::error::ErrorKind;
use etalon_core::plan::Object;
use etalon_core::protocol::{LoadEvent, parse};
use etalon_core::warehouse::LoadCounts;
use etalon_driver::ports::{Entry, Events, Message, Objects, Order, Put, Queue};
use etalon_driver::store::is_first_place;
use etalon_driver::testing::conformance;
use etalon_sandbox::counterpart;
use etalon_sandbox::moto::Moto;

/// Set for the process that runs the tests, with the environment by which the ports find the stand-in.
const INNER: &str = "ETALON_TEST_INNER";
const MIB: u64 = 1024 * 1024;

fn main() -> ExitCode {
    let tests: &[counterpart::Test<()>] = &[
        ("objects", |()| block_on(objects())),
        ("one_writer_wins", |()| one_writer_wins()),
        ("objects_of_another_bucket_have_it_in_their_names", |()| {
            block_on(objects_of_another_bucket_have_it_in_their_names());
        }),
        ("a_listing_of_many_pages", |()| block_on(a_listing_of_many_pages())),
        ("keys_have_any_characters", |()| block_on(keys_have_any_characters())),
        ("a_version_is_what_the_bytes_are", |()| block_on(a_version_is_what_the_bytes_are())),
        ("reading_on_is_few_requests", |()| block_on(reading_on_is_few_requests())),
        ("an_object_that_changes_while_it_is_read", |()| block_on(an_object_that_changes_while_it_is_read())),
        ("a_connection_that_says_nothing_costs_one_attempt", |()| {
            block_on(a_connection_that_says_nothing_costs_one_attempt());
        }),
        ("a_body_that_stalls_costs_one_attempt", |()| block_on(a_body_that_stalls_costs_one_attempt())),
        ("a_queue_that_says_nothing_costs_one_attempt", |()| block_on(a_queue_that_says_nothing_costs_one_attempt())),
        ("a_write_that_meets_another_is_tried_again", |()| {
            block_on(a_write_that_meets_another_is_tried_again());
        }),
        ("what_a_queue_does_not_take_is_told", |()| block_on(what_a_queue_does_not_take_is_told())),
        ("what_a_bus_does_not_take_is_told", |()| block_on(what_a_bus_does_not_take_is_told())),
        ("a_bucket_that_is_missing_is_named", |()| block_on(a_bucket_that_is_missing_is_named())),
        ("a_standard_queue", |()| block_on(a_standard_queue())),
        ("a_fifo_queue", |()| block_on(a_fifo_queue())),
        ("a_fifo_queue_has_dead_letters", |()| block_on(a_fifo_queue_has_dead_letters())),
        ("events_reach_whoever_waits", |()| block_on(events_reach_whoever_waits())),
        ("secrets_are_looked_up", |()| block_on(secrets_are_looked_up())),
    ];
    if std::env::var_os(INNER).is_some() {
        return counterpart::main(|| Ok(()), tests);
    }
    // A process's own environment is not to be changed, so that the tests run in another one.
    let run = || -> io::Result<ExitCode> {
        let moto = Moto::start()?;
        let mut inner = Command::new(std::env::current_exe()?);
        let status = inner.args(std::env::args_os().skip(1)).envs(moto.environment()).env(INNER, "1").status()?;
        Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    };
    run().unwrap_or_else(|error| counterpart::main(|| Err(error), tests))
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

fn block_on<F: Future>(future: F) -> F::Output {
    runtime().block_on(future)
}

/// Waits so many microseconds, and a little longer: queues count in whole seconds and from their own clock.
async fn wait(microseconds: i64) {
    tokio::time::sleep(Duration::from_micros(microseconds.unsigned_abs()) + Duration::from_millis(50)).await;
}

async fn bucket(clients: &Clients, name: &str) -> S3Objects {
    clients.s3().create_bucket().bucket(name).send().await.unwrap();
    S3Objects::new(clients.s3(), name, "etalon/")
}

async fn queue(clients: &Clients, name: &str, attributes: &[(QueueAttributeName, String)]) -> String {
    let mut request = clients.sqs().create_queue().queue_name(name);
    if name.ends_with(".fifo") {
        request = request.attributes(QueueAttributeName::FifoQueue, "true");
    }
    for (attribute, value) in attributes {
        request = request.attributes(attribute.clone(), value);
    }
    request.send().await.unwrap().queue_url.unwrap()
}

async fn arn(clients: &Clients, url: &str) -> String {
    let request = clients.sqs().get_queue_attributes().queue_url(url).attribute_names(QueueAttributeName::QueueArn);
    request.send().await.unwrap().attributes.unwrap().remove(&QueueAttributeName::QueueArn).unwrap()
}

async fn objects() {
    let clients = Clients::from_env().await;
    let store = bucket(&clients, "objects").await;
    conformance::objects(&store, "here").await;
    assert_eq!(store.url("a/b"), "s3://objects/etalon/a/b");
}

async fn objects_of_another_bucket_have_it_in_their_names() {
    let clients = Clients::from_env().await;
    let (first, second) = (bucket(&clients, "first").await, bucket(&clients, "second").await.named_with_bucket());
    conformance::objects(&second, "s3://second/here").await;
    second.put("in/a.csv", b"a", Put::Always).await.unwrap();
    let listed = second.list("s3://second/in/", None, 10).await.unwrap();
    assert_eq!(listed, ["s3://second/in/a.csv"]);
    assert_eq!(second.url(&listed[0]), "s3://second/etalon/in/a.csv");
    assert_eq!(second.get(&listed[0]).await.unwrap(), b"a");

    // The first place that the store of a pipeline has seen stays the one without a name.
    for _ in 0..2 {
        assert!(is_first_place(&first, "things", &first.bucket_place()).await.unwrap());
        assert!(!is_first_place(&first, "things", second.place()).await.unwrap());
    }
    assert!(is_first_place(&first, "others", second.place()).await.unwrap());
}

fn one_writer_wins() {
    let runtime = runtime();
    let store = runtime.block_on(async {
        let clients = Clients::from_env().await;
        bucket(&clients, "raced").await
    });
    let (end, ended) = tokio::sync::oneshot::channel::<()>();
    let handle = runtime.handle().clone();
    // Somebody must move the connections while the writers wait for them.
    let mover = std::thread::spawn(move || runtime.block_on(ended));
    for _ in 0..5 {
        conformance::one_writer_wins(&store, "here", || handle.enter());
    }
    drop(end);
    let _ = mover.join().unwrap();
}

async fn a_listing_of_many_pages() {
    let clients = Clients::from_env().await;
    let store = bucket(&clients, "pages").await;
    for number in 0..1005 {
        store.put(&format!("many/{number:04}"), b"", Put::Always).await.unwrap();
    }
    assert_eq!(store.list("many/", None, 1003).await.unwrap().len(), 1003);
    let rest = store.list("many/", Some("many/0001"), 5000).await.unwrap();
    assert_eq!((rest.len(), rest.first().unwrap().as_str()), (1003, "many/0002"));
}

async fn keys_have_any_characters() {
    let clients = Clients::from_env().await;
    let store = bucket(&clients, "characters").await;
    let mut names = ["a b.csv", "a+b.csv", "a%20b.csv", "a\u{1}b.csv", "a&<b>.csv", "\u{e4}/\u{1f980}.csv"];
    names.sort_unstable();
    for name in names {
        store.put(name, b"x", Put::Always).await.unwrap();
    }
    assert_eq!(store.list("", None, 10).await.unwrap(), names);
    // Page by page, too; but moto says after what it lists without encoding that.
    assert_eq!(store.list("", Some(names[1]), 10).await.unwrap(), names[2..]);
}

/// Puts an object with a checksum; in parts, it has another ETag.
async fn put_checked(clients: &Clients, key: &str, bytes: &'static [u8], checksum: ChecksumAlgorithm, in_parts: bool) {
    let (s3, bucket) = (clients.s3(), "versions");
    if !in_parts {
        let request = s3.put_object().bucket(bucket).key(key).body(ByteStream::from_static(bytes));
        request.checksum_algorithm(checksum).send().await.unwrap();
        return;
    }
    let request = s3.create_multipart_upload().bucket(bucket).key(key).checksum_algorithm(checksum.clone());
    let upload = request.send().await.unwrap().upload_id.unwrap();
    let part = s3.upload_part().bucket(bucket).key(key).upload_id(&upload).part_number(1);
    let part = part.checksum_algorithm(checksum).body(ByteStream::from_static(bytes)).send().await.unwrap();
    let part = CompletedPart::builder().part_number(1).set_e_tag(part.e_tag);
    let parts = CompletedMultipartUpload::builder().parts(part.build()).build();
    let done = s3.complete_multipart_upload().bucket(bucket).key(key).upload_id(upload).multipart_upload(parts);
    // It is done, but moto says so in an element of another name than S3 does.
    let _ = done.send().await;
}

async fn a_version_is_what_the_bytes_are() {
    let clients = Clients::from_env().await;
    let store = bucket(&clients, "versions").await;
    let put = async |name: &str, bytes, checksum, in_parts| {
        put_checked(&clients, &format!("etalon/{name}"), bytes, checksum, in_parts).await;
        let look = store.look(name).await.unwrap();
        let listed = store.objects(name, None, 1).await.unwrap().remove(0);
        assert_eq!(listed, look.as_listed());
        assert_eq!(store.read(&look.object, 0..9).await.unwrap(), bytes);
        assert_eq!(store.read(&listed, 0..9).await.unwrap(), bytes);
        look
    };
    let sha256 = put("sha256", b"hello", ChecksumAlgorithm::Sha256, false).await;
    assert_eq!(sha256.object.version, "sha256:LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=:5");
    let whole = put("crc64", b"hello", ChecksumAlgorithm::Crc64Nvme, false).await;
    assert!(whole.object.version.starts_with("crc64nvme:"), "{whole:?}");
    let other = put("crc64", b"hullo", ChecksumAlgorithm::Crc64Nvme, false).await;
    assert_ne!(other.object.version, whole.object.version);
    assert_eq!(store.read(&whole.object, 0..5).await.unwrap_err().kind(), ErrorKind::Changed);
    // A checksum of parts, or a short one, tells nothing: then it is the ETag.
    for (name, checksum, in_parts) in
        [("parts", ChecksumAlgorithm::Sha256, true), ("short", ChecksumAlgorithm::Crc32, false)]
    {
        let look = put(name, b"hello", checksum, in_parts).await;
        assert_eq!(look.object.version, look.listed);
    }
}

/// Counts the requests of a client.
#[derive(Debug, Clone, Default)]
struct Counter(Arc<AtomicUsize>);

impl Intercept for Counter {
    fn name(&self) -> &'static str {
        "counter"
    }

    fn read_before_transmit(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

/// So many bytes of which no two windows are alike.
fn bytes(count: u64) -> Vec<u8> {
    (0..count / 8).flat_map(|number| (number.wrapping_mul(0x9e37_79b9_7f4a_7c15)).to_le_bytes()).collect()
}

async fn reading_on_is_few_requests() {
    let clients = Clients::from_env().await;
    let counter = Counter::default();
    bucket(&clients, "long").await;
    let config = clients.s3().config().to_builder().interceptor(counter.clone()).build();
    let store = S3Objects::new(aws_sdk_s3::Client::from_conf(config), "long", "etalon/");
    let written = bytes(40 * MIB);
    store.put("object", &written, Put::Always).await.unwrap();
    let object = store.head("object").await.unwrap();
    let before = counter.0.load(Ordering::Relaxed);
    let requests = || counter.0.load(Ordering::Relaxed) - before;

    let mut read = Vec::new();
    while (read.len() as u64) < object.size {
        let at = read.len() as u64;
        read.extend(store.read(&object, at..at + MIB / 4).await.unwrap());
    }
    assert!(read == written, "what is read is what was written");
    assert!(requests() <= 4, "{} requests", requests());

    // Another place, and windows that are not alike.
    let before = requests();
    let mut at = 5 * MIB + 1;
    for length in [1, MIB, 3, 17 * MIB, 100] {
        let window = store.read(&object, at..at + length).await.unwrap();
        let place = |at: u64| usize::try_from(at).unwrap();
        assert!(window == written[place(at)..place(at + length)], "{length} bytes at {at}");
        at += length;
    }
    assert!(requests() - before <= 4, "{} requests", requests() - before);
}

async fn an_object_that_changes_while_it_is_read() {
    let clients = Clients::from_env().await;
    let store = bucket(&clients, "changing").await;
    store.put("object", &bytes(18 * MIB), Put::Always).await.unwrap();
    let object = store.head("object").await.unwrap();
    let mut at = 0;
    for _ in 0..4 {
        at += store.read(&object, at..at + MIB / 4).await.unwrap().len() as u64;
    }
    store.put("object", b"something else", Put::Always).await.unwrap();
    // What is open goes on as it was; the next answer is of another version.
    let error = loop {
        match store.read(&object, at..at + MIB / 4).await {
            Ok(window) => at += window.len() as u64,
            Err(error) => break error,
        }
        assert!(at < object.size, "the other version is seen");
    };
    assert_eq!(error.kind(), ErrorKind::Changed);
    assert!(error.to_string().contains("s3://changing/etalon/object: GetObject"), "{error}");
}

/// The first connection takes a request and never answers, as one that a network has dropped; later ones answer.
async fn a_connection_that_says_nothing_costs_one_attempt() {
    const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\netag: \"e\"\r\nconnection: close\r\n\r\n";
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let _dead = listener.accept().unwrap();
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 4096]).unwrap();
            stream.write_all(ANSWER).unwrap();
        }
    });
    let config = Clients::from_env().await.s3().config().to_builder().endpoint_url(endpoint).build();
    let store = S3Objects::new(aws_sdk_s3::Client::from_conf(config), "frozen", "");
    let began = Instant::now();
    let object = store.head("object").await.unwrap();
    assert_eq!((object.size, object.version.as_str()), (5, "e"));
    let took = began.elapsed();
    assert!((9..=16).contains(&took.as_secs()), "{took:?}");
}

async fn a_body_that_stalls_costs_one_attempt() {
    const HEAD: &str = "HTTP/1.1 206 Partial Content\r\netag: \"e\"\r\nconnection: close\r\ncontent-length: ";
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let mut stalled = Vec::new();
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = vec![0; 8192];
            let length = stream.read(&mut request).unwrap();
            let request = String::from_utf8_lossy(&request[..length]).into_owned();
            if request.contains("bytes=0-99") {
                // Ten bytes of a hundred come, and then nothing more.
                stream.write_all(format!("{HEAD}100\r\n\r\n0123456789").as_bytes()).unwrap();
                stalled.push(stream);
            } else {
                assert!(request.contains("bytes=10-99"), "{request}");
                stream.write_all(format!("{HEAD}90\r\n\r\n{}", "x".repeat(90)).as_bytes()).unwrap();
            }
        }
    });
    let config = Clients::from_env().await.s3().config().to_builder().endpoint_url(endpoint).build();
    let store = S3Objects::new(aws_sdk_s3::Client::from_conf(config), "frozen", "");
    let object = Object { name: "object".to_owned(), version: "e".to_owned(), size: 100 };
    let began = Instant::now();
    let bytes = store.read(&object, 0..100).await.unwrap();
    assert_eq!(bytes, format!("0123456789{}", "x".repeat(90)).as_bytes());
    let took = began.elapsed();
    assert!((9..=20).contains(&took.as_secs()), "{took:?}");
}

async fn a_queue_that_says_nothing_costs_one_attempt() {
    const ANSWER: &str = r#"{"Successful":[{"Id":"0","MessageId":"m","MD5OfMessageBody":"9dd4e461268c8034f5c8564e155c67a6"}],"Failed":[]}"#;
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let _dead = listener.accept().unwrap();
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 8192]).unwrap();
            let head = format!(
                "HTTP/1.1 200 OK\r\ncontent-type: application/x-amz-json-1.0\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
                ANSWER.len()
            );
            stream.write_all(format!("{head}{ANSWER}").as_bytes()).unwrap();
        }
    });
    let config = Clients::from_env().await.sqs().config().to_builder().endpoint_url(&endpoint).build();
    let queue = SqsQueue::new(aws_sdk_sqs::Client::from_conf(config), format!("{endpoint}/123456789012/frozen"));
    let began = Instant::now();
    assert_eq!(queue.send(&[Entry { body: "x".to_owned(), order: None }]).await.unwrap(), []);
    let took = began.elapsed();
    assert!((9..=16).contains(&took.as_secs()), "{took:?}");
}

/// A server that gives these answers, each to one request: their status with what follows it, and their body.
fn server(answers: &'static [(&str, &str)]) -> (String, std::thread::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let served = std::thread::spawn(move || {
        for (head, body) in answers {
            let (mut stream, _) = listener.accept().unwrap();
            let _ = stream.read(&mut [0; 8192]).unwrap();
            let answer =
                format!("HTTP/1.1 {head}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}", body.len());
            stream.write_all(answer.as_bytes()).unwrap();
        }
    });
    (endpoint, served)
}

async fn a_write_that_meets_another_is_tried_again() {
    const CONFLICT: &str = "<Error><Code>ConditionalRequestConflict</Code><Message>at this moment</Message></Error>";
    let (endpoint, served) = server(&[("409 Conflict", CONFLICT), ("200 OK\r\netag: \"e\"", "")]);
    let config = Clients::from_env().await.s3().config().to_builder().endpoint_url(endpoint).build();
    let store = S3Objects::new(aws_sdk_s3::Client::from_conf(config), "raced", "");
    assert_eq!(store.put("object", b"x", Put::IfAbsent).await.unwrap(), "e");
    served.join().unwrap();
}

async fn what_a_queue_does_not_take_is_told() {
    const ANSWER: &str = r#"{"Successful":[{"Id":"0","MessageId":"m","MD5OfMessageBody":"9dd4e461268c8034f5c8564e155c67a6"}],
        "Failed":[{"Id":"1","SenderFault":true,"Code":"InvalidMessageContents","Message":"never"},
                  {"Id":"2","SenderFault":false,"Code":"InternalError","Message":"later"}]}"#;
    let (endpoint, served) = server(&[("200 OK\r\ncontent-type: application/x-amz-json-1.0", ANSWER)]);
    let config = Clients::from_env().await.sqs().config().to_builder().endpoint_url(&endpoint).build();
    let queue = SqsQueue::new(aws_sdk_sqs::Client::from_conf(config), format!("{endpoint}/123456789012/some"));
    let entries = ["x"; 3].map(|body| Entry { body: body.to_owned(), order: None });
    let failed = queue.send(&entries).await.unwrap();
    let failed: Vec<_> = failed.iter().map(|(position, error)| (*position, error.kind())).collect();
    assert_eq!(failed, [(1, ErrorKind::Refused), (2, ErrorKind::Unavailable)]);
    served.join().unwrap();
}

async fn what_a_bus_does_not_take_is_told() {
    const ANSWER: &str = r#"{"FailedEntryCount":1,"Entries":[{"ErrorCode":"InternalFailure","ErrorMessage":"later"}]}"#;
    let (endpoint, served) = server(&[("200 OK\r\ncontent-type: application/x-amz-json-1.1", ANSWER)]);
    let config = Clients::from_env().await.events().config().to_builder().endpoint_url(endpoint).build();
    let bus = EventBridge::new(aws_sdk_eventbridge::Client::from_conf(config), "loads", "etalon");
    let (table, load, units) = ("t".to_owned(), "l".to_owned(), vec!["u".to_owned()]);
    let event = LoadEvent { table, load, units, counts: LoadCounts::default(), batch_time: 1 };
    let error = bus.loaded(&event).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.to_string().contains("InternalFailure: later"), "{error}");
    served.join().unwrap();
}

async fn a_bucket_that_is_missing_is_named() {
    let clients = Clients::from_env().await;
    let store = S3Objects::new(clients.s3(), "nobody", "");
    let error = store.put("object", b"", Put::IfAbsent).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused);
    assert!(error.to_string().starts_with("s3://nobody/object: PutObject: NoSuchBucket: "), "{error}");
    let queue = SqsQueue::new(clients.sqs(), "http://127.0.0.1/123456789012/nothing");
    let error = queue.send(&[Entry { body: "x".to_owned(), order: None }]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused, "{error}");
}

/// A queue that gives up after three receives, and the queue of its dead letters.
async fn queue_with_dead_letters(clients: &Clients, name: &str, dead_name: &str) -> (SqsQueue, SqsQueue) {
    let dead = queue(clients, dead_name, &[]).await;
    let policy = format!(r#"{{"deadLetterTargetArn":"{}","maxReceiveCount":"3"}}"#, arn(clients, &dead).await);
    let url = queue(clients, name, &[(QueueAttributeName::RedrivePolicy, policy)]).await;
    (SqsQueue::new(clients.sqs(), url).with_dead_letters(&dead), SqsQueue::new(clients.sqs(), dead))
}

/// Receives until nothing comes, and removes what came.
async fn drain(queue: &SqsQueue) -> Vec<Message> {
    let mut all = Vec::new();
    loop {
        let messages = queue.receive(10, 30_000_000).await.unwrap();
        if messages.is_empty() {
            return all;
        }
        for message in messages {
            queue.delete(&message).await.unwrap();
            all.push(message);
        }
    }
}

async fn a_standard_queue() {
    let clients = Clients::from_env().await;
    let (queue, dead) = queue_with_dead_letters(&clients, "standard", "standard-dead").await;
    let letters = RefCell::new(Vec::new());
    let dead = async || {
        let came = drain(&dead).await;
        letters.borrow_mut().extend(came.into_iter().map(|message| (message.body, message.reason)));
        letters.borrow().clone()
    };
    conformance::standard_queue(&queue, dead, wait).await;
}

async fn a_fifo_queue() {
    let clients = Clients::from_env().await;
    let url = queue(&clients, "ordered.fifo", &[]).await;
    conformance::fifo_queue(&SqsQueue::new(clients.sqs(), url), "here", wait).await;
}

async fn a_fifo_queue_has_dead_letters() {
    let clients = Clients::from_env().await;
    let (queue, dead) = queue_with_dead_letters(&clients, "worn.fifo", "worn-dead.fifo").await;
    for body in ["poison", "venom"] {
        let order = Some(Order { group: body.to_owned(), deduplication: body.to_owned() });
        assert_eq!(queue.send(&[Entry { body: body.to_owned(), order }]).await.unwrap(), []);
        let message = queue.receive(1, 30_000_000).await.unwrap().pop().unwrap();
        // Who was killed after he had buried it does it again.
        queue.bury(&message, "it says\nnothing").await.unwrap();
        queue.bury(&message, "it says\nnothing").await.unwrap();
    }
    assert_eq!(drain(&queue).await, []);
    let letters = drain(&dead).await;
    let told: Vec<_> = letters.iter().map(|letter| (letter.body.as_str(), letter.reason.as_deref())).collect();
    assert_eq!(told, ["poison", "venom"].map(|body| (body, Some("it says\nnothing"))));
    let error = dead.bury(&letters[0], "again").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused);
}

async fn events_reach_whoever_waits() {
    let clients = Clients::from_env().await;
    let url = queue(&clients, "waiting", &[]).await;
    let events = clients.events();
    events.create_event_bus().name("loads").send().await.unwrap();
    let pattern =
        r#"{"source": ["etalon"], "detail-type": ["etalon.load"], "detail": {"table": ["analytics.orders"]}}"#;
    events.put_rule().name("orders").event_bus_name("loads").event_pattern(pattern).send().await.unwrap();
    let target = aws_sdk_eventbridge::types::Target::builder().id("queue").arn(arn(&clients, &url).await);
    let put = events.put_targets().rule("orders").event_bus_name("loads").targets(target.build().unwrap());
    put.send().await.unwrap();

    let event = |table: &str| LoadEvent {
        table: table.to_owned(),
        load: "l".to_owned(),
        units: vec!["u".to_owned()],
        counts: LoadCounts { staged: 3, inserted: 3, ..LoadCounts::default() },
        batch_time: 1,
    };
    let bus = EventBridge::new(events.clone(), "loads", "etalon");
    bus.loaded(&event("analytics.people")).await.unwrap();
    bus.loaded(&event("analytics.orders")).await.unwrap();
    let came = drain(&SqsQueue::new(clients.sqs(), url)).await;
    let [message] = came.as_slice() else { unreachable!("{came:?}") };
    let envelope: serde_json::Value = serde_json::from_str(&message.body).unwrap();
    assert_eq!(envelope["detail-type"], "etalon.load");
    assert_eq!(parse::<LoadEvent>(envelope["detail"].to_string().as_bytes()).unwrap(), event("analytics.orders"));

    let nobody = EventBridge::new(events, "arn:aws:events:us-east-1:123456789012:event-bus/nobody", "aws.s3");
    assert!(nobody.loaded(&event("x")).await.is_err());
}

async fn secrets_are_looked_up() {
    let clients = Clients::from_env().await;
    let client = clients.secrets();
    let put = async |name: &str, value: &str| {
        client.create_secret().name(name).secret_string(value).send().await.unwrap().arn.unwrap()
    };
    let plain = put("plain", "hunter2").await;
    let keys = put("keys", r#"{"username": "etalon", "password": "hunter2", "port": 5439, "more": {}}"#).await;
    let value = async |setting: String| resolve(&client, &setting).await.map(|secret| secret.reveal().to_owned());
    assert_eq!(value("as it is".to_owned()).await.unwrap(), "as it is");
    assert_eq!(value(plain.clone()).await.unwrap(), "hunter2");
    assert_eq!(value(format!("{keys}#password")).await.unwrap(), "hunter2");
    assert_eq!(value(format!("{keys}#port")).await.unwrap(), "5439");
    for (setting, kind) in [
        (format!("{keys}#nothing"), ErrorKind::Refused),
        (format!("{keys}#more"), ErrorKind::Refused),
        (format!("{plain}#password"), ErrorKind::Refused),
        ("arn:aws:secretsmanager:us-east-1:123456789012:secret:nobody-AbCdEf".to_owned(), ErrorKind::NotFound),
    ] {
        let error = value(setting).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
}
