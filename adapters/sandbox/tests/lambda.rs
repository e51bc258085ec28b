//! A function is run as Lambda runs it: starts, warm environments, deadlines, memory, ends, caps.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail, and says what it saw")]

use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use etalon_sandbox::counterpart::{self, Test};
use etalon_sandbox::lambda::{FailureKind, Function, Invoked, Metric, Mishap, NotInvoked, Settings, Trace};
use serde_json::{Value, json};

mod function;

use function::{program, runtime, until};

fn main() -> ExitCode {
    function::main(|| counterpart::main(|| Ok(()), TESTS))
}

/// Names tests once, for the list and for the runner; each has a thread and a runtime of its own.
macro_rules! tests {
    ($($name:ident)*) => {
        const TESTS: &[Test<()>] = &[$((stringify!($name), |&()| runtime().block_on($name()))),*];
    };
}

tests! {
    an_event_comes_with_its_headers_and_the_environment_of_lambda
    environments_are_used_again_and_only_the_first_start_is_on_its_own_time
    an_environment_takes_one_event_at_a_time_and_more_events_than_environments_are_throttled
    a_deadline_kills_and_the_next_start_is_within_an_invocation_over_the_same_files
    more_memory_than_there_is_kills
    an_end_in_the_middle_is_an_error_and_an_error_told_is_not_an_end
    a_start_that_fails_is_tried_again_within_the_invocation
    between_invocations_time_stands_still
    a_result_over_six_megabytes_is_an_error
    cpu_time_and_lines_and_metrics_are_the_functions
    what_goes_wrong_can_be_asked_for
    processes_end_with_their_function
    what_lambda_would_refuse_is_refused
}

fn settings() -> Settings {
    Settings::new("test", program())
}

async fn invoke(function: &Function, event: Value) -> Invoked {
    function.invoke(event.to_string(), &Trace::default()).await.unwrap()
}

fn result(outcome: &Invoked) -> Value {
    serde_json::from_slice(outcome.result.as_ref().unwrap()).unwrap()
}

fn failure(outcome: &Invoked) -> (FailureKind, &str, &str) {
    let failure = outcome.result.as_ref().unwrap_err();
    (failure.kind, &failure.error_type, &failure.message)
}

async fn an_event_comes_with_its_headers_and_the_environment_of_lambda() {
    let mut settings = settings();
    settings.environment.insert("ETALON_X".to_owned(), "y".to_owned());
    settings.files.insert("pipeline.yaml".to_owned(), b"etalon: 1\n".to_vec());
    let function = Function::new(settings).unwrap();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let outcome = invoke(&function, json!({ "n": 1 })).await;
    let seen = result(&outcome);
    assert_eq!(seen["event"], json!({ "n": 1 }));
    assert_eq!(seen["request"], outcome.report.request);
    assert_eq!(seen["arn"], function.arn());
    assert_eq!(seen["beside"], "etalon: 1\n");
    assert!(seen["trace"].as_str().unwrap().starts_with("Root=1-"), "{seen}");
    let deadline = Duration::from_millis(seen["deadline"].as_u64().unwrap());
    assert!(deadline > now + Duration::from_secs(55) && deadline < now + Duration::from_secs(75), "{seen}");
    let variables = &seen["environment"];
    for (name, value) in [
        ("AWS_LAMBDA_FUNCTION_NAME", "test"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
        ("AWS_REGION", "us-east-1"),
        ("ETALON_X", "y"),
        ("TZ", ":UTC"),
    ] {
        assert_eq!(variables[name], value);
    }
    assert!(variables.get("HOME").is_none(), "nothing of this process's environment is there: {variables}");
}

async fn environments_are_used_again_and_only_the_first_start_is_on_its_own_time() {
    let function = Function::new(settings()).unwrap();
    let (first, second) = (invoke(&function, json!({})).await, invoke(&function, json!({})).await);
    assert_eq!(result(&first)["pid"], result(&second)["pid"]);
    assert_eq!(result(&second)["invocation"], 2);
    assert!(first.report.is_cold && first.report.init.is_some());
    assert!(!second.report.is_cold && second.report.init.is_none());
    let billed = first.report.duration + first.report.init.unwrap();
    assert_eq!(u128::from(first.report.billed_ms), billed.as_micros().div_ceil(1000));
    let totals = function.totals();
    assert_eq!((totals.invocations, totals.cold_starts, totals.errors), (2, 1, 0));
    let reports: Vec<_> = function.log().into_iter().filter(|line| line.starts_with("REPORT ")).collect();
    assert!(reports[0].contains("\tInit Duration: ") && reports[0].contains("\tMemory Size: 128 MB\t"), "{reports:?}");
    assert!(!reports[1].contains("Init Duration"), "{reports:?}");
    function.retire();
    assert_ne!(result(&invoke(&function, json!({})).await)["pid"], result(&first)["pid"]);
}

async fn an_environment_takes_one_event_at_a_time_and_more_events_than_environments_are_throttled() {
    let function = Function::new(Settings { concurrency: 2, ..settings() }).unwrap();
    let slow = || invoke(&function, json!({ "sleep_ms": 300 }));
    let third = async {
        until(async || function.log().iter().filter(|line| line.starts_with("START")).count() == 2).await;
        function.invoke("{}", &Trace::default()).await
    };
    let (first, second, third) = tokio::join!(slow(), slow(), third);
    assert_ne!(result(&first)["pid"], result(&second)["pid"]);
    assert_eq!(third.unwrap_err(), NotInvoked::Throttled);
    assert_eq!(function.totals().throttles, 1);
}

async fn a_deadline_kills_and_the_next_start_is_within_an_invocation_over_the_same_files() {
    let function = Function::new(Settings { timeout: Duration::from_millis(400), ..settings() }).unwrap();
    let late = invoke(&function, json!({ "write": "kept", "sleep_ms": 60_000 })).await;
    assert_eq!(failure(&late), (FailureKind::Timeout, "Sandbox.Timedout", "Task timed out after 0.40 seconds"));
    assert!(late.report.duration >= Duration::from_millis(400) && late.report.duration < Duration::from_secs(5));
    let next = invoke(&function, json!({})).await;
    assert_eq!((result(&next)["files"].clone(), result(&next)["invocation"].clone()), (json!(1), json!(1)));
    assert!(next.report.is_cold && next.report.init.is_none());
    assert!(function.log().iter().any(|line| line.contains("Status: timeout")));
}

async fn more_memory_than_there_is_kills() {
    let function = Function::new(settings()).unwrap();
    let small = invoke(&function, json!({ "allocate_mb": 40 })).await;
    assert!(small.result.is_ok() && small.report.memory_peak > 40 << 20, "{small:?}");
    let large = invoke(&function, json!({ "allocate_mb": 200 })).await;
    let (kind, error_type, message) = failure(&large);
    assert_eq!((kind, error_type), (FailureKind::OutOfMemory, "Runtime.OutOfMemory"));
    assert!(message.contains("signal: killed"));
    assert!(function.log().iter().any(|line| line.contains("Max Memory Used: 128 MB\tStatus: error")));
    assert_eq!(result(&invoke(&function, json!({})).await)["invocation"], 1);
}

async fn an_end_in_the_middle_is_an_error_and_an_error_told_is_not_an_end() {
    let function = Function::new(settings()).unwrap();
    let told = invoke(&function, json!({ "fail": "no such luck" })).await;
    assert_eq!(failure(&told), (FailureKind::Told, "Test.Asked", "no such luck"));
    let next = invoke(&function, json!({})).await;
    assert_eq!(result(&next)["invocation"], 2);
    let ended = invoke(&function, json!({ "exit": 7 })).await;
    assert_eq!(failure(&ended), (FailureKind::Exit, "Runtime.ExitError", "Runtime exited with error: exit status 7"));
    let after = invoke(&function, json!({})).await;
    assert_eq!(result(&after)["invocation"], 1);
    assert_eq!((function.totals().invocations, function.totals().errors, function.totals().cold_starts), (4, 2, 2));
}

async fn a_start_that_fails_is_tried_again_within_the_invocation() {
    let with = |init: &str| {
        let mut settings = Settings { init_timeout: Duration::from_millis(300), ..settings() };
        settings.environment.insert("TEST_INIT".to_owned(), init.to_owned());
        Function::new(settings).unwrap()
    };
    let function = with("slow-once");
    let outcome = invoke(&function, json!({})).await;
    assert!(outcome.result.is_ok() && outcome.report.is_cold && outcome.report.init.is_none(), "{outcome:?}");
    assert!(function.log().iter().any(|line| line.starts_with("INIT_REPORT ") && line.contains("Status: timeout")));

    let function = with("crash");
    let outcome = invoke(&function, json!({})).await;
    assert_eq!(failure(&outcome), (FailureKind::Exit, "Runtime.ExitError", "Runtime exited with error: exit status 3"));

    let function = with("error");
    let outcome = invoke(&function, json!({})).await;
    assert_eq!(failure(&outcome), (FailureKind::Told, "Test.Begin", "cannot begin"));
    assert!(function.log().iter().any(|line| line.contains("Error Type: Test.Begin")));
}

async fn between_invocations_time_stands_still() {
    let state = |pid: &Value| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
        stat.rsplit_once(") ").unwrap().1.chars().next().unwrap()
    };
    let function = Function::new(settings()).unwrap();
    let pid = result(&invoke(&function, json!({})).await)["pid"].clone();
    until(async || state(&pid) == 'T').await;
    assert_eq!(result(&invoke(&function, json!({})).await)["pid"], pid);
}

async fn a_result_over_six_megabytes_is_an_error() {
    let function = Function::new(settings()).unwrap();
    let six = 6 * 1024 * 1024;
    // Two bytes are the quotation marks.
    assert!(invoke(&function, json!({ "large": six - 2 })).await.result.is_ok());
    let outcome = invoke(&function, json!({ "large": six - 1 })).await;
    assert_eq!(failure(&outcome).0, FailureKind::TooLarge);
    let event = Value::String("x".repeat(six));
    assert_eq!(failure(&invoke(&function, event).await).0, FailureKind::TooLarge);
}

async fn cpu_time_and_lines_and_metrics_are_the_functions() {
    let function = Function::new(settings()).unwrap();
    let metric = json!({
        "_aws": { "Timestamp": 1, "CloudWatchMetrics": [{
            "Namespace": "Etalon", "Dimensions": [["Pipeline"]], "Metrics": [{ "Name": "Rows" }] }] },
        "Pipeline": "orders", "Rows": 3,
    });
    let spun = invoke(&function, json!({ "spin_ms": 200, "say": metric.to_string() })).await;
    assert!(spun.report.cpu >= Duration::from_millis(180) && spun.report.cpu < Duration::from_secs(2), "{spun:?}");
    let slept = invoke(&function, json!({ "sleep_ms": 200, "say": metric.to_string() })).await;
    assert!(slept.report.cpu < Duration::from_millis(100), "{slept:?}");
    let sum = || function.metrics().into_values().next();
    until(async || sum() == Some(Metric { count: 2, sum: 6.0, min: 3.0, max: 3.0 })).await;
}

async fn what_goes_wrong_can_be_asked_for() {
    let function = Function::new(settings()).unwrap();
    function.inject(Mishap::LoseResponse);
    let lost = invoke(&function, json!({ "write": "done" })).await;
    assert_eq!(failure(&lost).0, FailureKind::Lost);
    assert_eq!(result(&invoke(&function, json!({})).await)["files"], 1, "the work was done");

    function.inject(Mishap::Duplicate);
    let twice = invoke(&function, json!({ "sleep_ms": 50 })).await;
    let starts = format!("START RequestId: {} ", twice.report.request);
    assert_eq!(function.log().iter().filter(|line| line.starts_with(&starts)).count(), 2);

    function.inject(Mishap::Kill(Duration::from_millis(30)));
    let killed = invoke(&function, json!({ "sleep_ms": 60_000 })).await;
    assert_eq!(failure(&killed), (FailureKind::Exit, "Runtime.ExitError", "Runtime exited with error: signal: killed"));
    assert_eq!(function.clear_mishaps(), 0);
}

async fn processes_end_with_their_function() {
    let function = Function::new(settings()).unwrap();
    let pid = result(&invoke(&function, json!({})).await)["pid"].clone();
    drop(function);
    until(async || !std::fs::exists(format!("/proc/{pid}")).unwrap()).await;
}

async fn what_lambda_would_refuse_is_refused() {
    let large = [("X".to_owned(), "y".repeat(4096))].into();
    for settings in [
        Settings { environment: large, ..settings() },
        Settings { memory_mb: 64, ..settings() },
        Settings { timeout: Duration::from_secs(901), ..settings() },
        Settings::new("test", "no/such/program"),
    ] {
        assert!(Function::new(settings).is_err());
    }
}
