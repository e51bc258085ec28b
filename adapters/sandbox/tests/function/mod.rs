//! A function for tests of the sandbox: it does what its event says. The test's own program is it, when Lambda runs it.
//!
//! An SQS event's messages say it one by one: the ones that fail are told as such.

#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "it is a test's other half: it writes lines and may fail")]

use std::path::PathBuf;
use std::process::{ExitCode, exit};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use aws_sdk_sqs::Client;
use lambda_runtime::{Diagnostic, Error, LambdaEvent, service_fn};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tokio::time::sleep;

static INVOCATIONS: AtomicU64 = AtomicU64::new(0);

/// What an event, or the body of a message, asks for.
#[derive(Debug, Deserialize, Default)]
#[serde(default)]
struct Asked {
    /// A line is written.
    say: Option<String>,
    /// Time passes.
    sleep_ms: u64,
    /// So much CPU time is used.
    spin_ms: u64,
    /// So much memory is resident for a moment.
    allocate_mb: usize,
    /// A file is written in the temporary folder.
    write: Option<String>,
    /// The message is sent on to its own queue's URL, with the same body.
    send: Option<String>,
    /// The process ends.
    exit: Option<i32>,
    /// The invocation fails, or the message.
    fail: Option<String>,
    /// The result has so many characters.
    large: Option<usize>,
    /// The result is this.
    result: Option<Value>,
}

/// Runs tests; or the function, if that is what the program was started for.
pub(crate) fn main(tests: impl FnOnce() -> ExitCode) -> ExitCode {
    if std::env::var_os("AWS_LAMBDA_RUNTIME_API").is_none() {
        return tests();
    }
    match runtime().block_on(function()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

/// What futures run on: a thread.
pub(crate) fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// The program that is the function.
pub(crate) fn program() -> PathBuf {
    std::env::current_exe().unwrap()
}

/// Waits until a condition holds.
pub(crate) async fn until(mut holds: impl AsyncFnMut() -> bool) {
    let begun = Instant::now();
    while !holds().await {
        assert!(begun.elapsed() < Duration::from_secs(30), "it never holds");
        sleep(Duration::from_millis(2)).await;
    }
}

async fn function() -> Result<(), Error> {
    match std::env::var("TEST_INIT").unwrap_or_default().as_str() {
        "crash" => exit(3),
        "slow" => sleep(Duration::from_secs(3600)).await,
        // Slow for the first process of an environment.
        "slow-once" if !temporary("slow").exists() => {
            std::fs::write(temporary("slow"), b"")?;
            sleep(Duration::from_secs(3600)).await;
        }
        "error" => {
            let diagnostic =
                Diagnostic { error_type: "Test.Begin".to_owned(), error_message: "cannot begin".to_owned() };
            tell_init_error(&diagnostic)?;
            exit(1);
        }
        _ => {}
    }
    lambda_runtime::run(service_fn(handle)).await
}

/// Tells of a failure to begin, as a runtime does.
fn tell_init_error(diagnostic: &Diagnostic) -> Result<(), Error> {
    use std::io::{Read, Write};
    let api = std::env::var("AWS_LAMBDA_RUNTIME_API")?;
    let body = serde_json::to_string(diagnostic)?;
    let mut stream = std::net::TcpStream::connect(&api)?;
    write!(
        stream,
        "POST /2018-06-01/runtime/init/error HTTP/1.1\r\nhost: {api}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )?;
    stream.read_to_string(&mut String::new())?;
    Ok(())
}

fn temporary(name: &str) -> PathBuf {
    std::env::temp_dir().join(name)
}

async fn handle(event: LambdaEvent<Value>) -> Result<Value, Diagnostic> {
    let invocation = INVOCATIONS.fetch_add(1, Ordering::Relaxed) + 1;
    if let Some(records) = event.payload.get("Records").and_then(Value::as_array) {
        let mut failures = Vec::new();
        let mut result = None;
        for record in records {
            let asked: Asked = serde_json::from_str(record["body"].as_str().unwrap_or_default()).unwrap_or_default();
            let (id, group) = (&record["messageId"], &record["attributes"]["MessageGroupId"]);
            println!("begins {} {}", group.as_str().unwrap_or_default(), record["body"].as_str().unwrap_or_default());
            if asked.send.is_some() {
                send(&asked, record["body"].as_str().unwrap_or_default()).await;
            }
            let failed = carry_out(&asked).await.is_err();
            println!("ends {} {}", group.as_str().unwrap_or_default(), record["body"].as_str().unwrap_or_default());
            if failed {
                failures.push(json!({ "itemIdentifier": id }));
            }
            result = asked.result.or(result);
        }
        println!("batch of {}", records.len());
        println!("event {}", event.payload);
        return Ok(result.unwrap_or_else(|| json!({ "batchItemFailures": failures })));
    }
    let asked: Asked = serde_json::from_value(event.payload.clone()).unwrap_or_default();
    carry_out(&asked).await?;
    if let Some(length) = asked.large {
        return Ok(Value::String("x".repeat(length)));
    }
    let context = &event.context;
    Ok(asked.result.unwrap_or_else(|| {
        json!({
            "event": event.payload,
            "invocation": invocation,
            "pid": std::process::id(),
            "request": context.request_id,
            "deadline": context.deadline,
            "arn": context.invoked_function_arn,
            "trace": std::env::var("_X_AMZN_TRACE_ID").ok(),
            "files": std::fs::read_dir(std::env::temp_dir()).unwrap().count(),
            "environment": std::env::vars().collect::<std::collections::BTreeMap<_, _>>(),
            "beside": std::fs::read_to_string("pipeline.yaml").ok(),
        })
    }))
}

async fn carry_out(asked: &Asked) -> Result<(), Diagnostic> {
    if let Some(line) = &asked.say {
        println!("{line}");
    }
    if let Some(file) = &asked.write {
        std::fs::write(temporary(file), b"").unwrap();
    }
    if asked.allocate_mb > 0 {
        let memory = vec![1_u8; asked.allocate_mb << 20];
        // Resident long enough to be seen, and really there.
        sleep(Duration::from_millis(200)).await;
        println!("allocated {}", std::hint::black_box(&memory).len());
    }
    let busy = cpu() + Duration::from_millis(asked.spin_ms);
    while cpu() < busy {}
    sleep(Duration::from_millis(asked.sleep_ms)).await;
    if let Some(code) = asked.exit {
        exit(code);
    }
    match &asked.fail {
        Some(message) => Err(Diagnostic { error_type: "Test.Asked".to_owned(), error_message: message.clone() }),
        None => Ok(()),
    }
}

/// CPU time of this thread.
fn cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(stat.split(' ').next().unwrap().parse().unwrap())
}

/// Sends a message on, as a function does: by the SDK, with the settings that its environment has.
async fn send(asked: &Asked, body: &str) {
    let http = aws_smithy_http_client::Builder::new().build_http();
    let config = aws_config::defaults(aws_config::BehaviorVersion::latest()).http_client(http).load().await;
    let url = asked.send.clone().unwrap_or_default();
    Client::new(&config).send_message().queue_url(url).message_body(body).send().await.unwrap();
}
