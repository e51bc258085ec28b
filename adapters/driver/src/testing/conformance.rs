//! Conformance: the tests that every implementation of a port must pass, in memory, on disk or in a cloud.
//!
//! The suites use only the port. They assume only that no other test uses the names below their prefix, or reads their queues.

use std::collections::BTreeSet;
use std::future::Future;

use etalon_core::error::{Error, ErrorKind};
use etalon_core::plan::{Object, sha256};
use etalon_core::warehouse::{LoadBatch, Table};

use crate::ports::{
    DataWarehouse, Entry, LoadOrder, MESSAGES_MAX, Message, Objects, Order, Put, Queue, StatementState,
};
use crate::store::{names, send};

#[track_caller]
fn kind<T: std::fmt::Debug>(result: Result<T, Error>) -> ErrorKind {
    result.unwrap_err().kind()
}

/// Objects: writes are seen whole and at once, conditions hold, listings are in order and in pages.
pub async fn objects(store: &impl Objects, prefix: &str) {
    let name = |name: &str| format!("{prefix}/{name}");
    let one = name("one");

    // What is not there.
    assert_eq!(kind(store.head(&one).await), ErrorKind::NotFound);
    assert_eq!(kind(store.fetch(&one).await), ErrorKind::NotFound);
    assert_eq!(kind(store.put(&one, b"x", Put::IfVersion("none")).await), ErrorKind::Changed);
    assert_eq!(kind(store.delete_version(&one, "none").await), ErrorKind::Changed);
    store.delete(&one).await.unwrap();
    assert_eq!(store.list(&one, None, 10).await.unwrap(), [""; 0]);

    // The first write wins, and later ones take the place of the version that they know.
    let first = store.put(&one, b"first", Put::IfAbsent).await.unwrap();
    assert_eq!(kind(store.put(&one, b"other", Put::IfAbsent).await), ErrorKind::AlreadyExists);
    assert_eq!(store.fetch(&one).await.unwrap(), (b"first".to_vec(), first.clone()));
    let second = store.put(&one, b"second", Put::IfVersion(&first)).await.unwrap();
    assert_ne!(first, second);
    assert_eq!(kind(store.put(&one, b"third", Put::IfVersion(&first)).await), ErrorKind::Changed);
    assert_eq!(kind(store.delete_version(&one, &first).await), ErrorKind::Changed);
    assert_eq!(store.get(&one).await.unwrap(), b"second");
    let third = store.put(&one, b"and the third", Put::Always).await.unwrap();
    assert_eq!(store.head(&one).await.unwrap(), Object { name: one.clone(), version: third.clone(), size: 13 });

    // Ranges, of the version that is there.
    let object = store.head(&one).await.unwrap();
    assert_eq!(store.read(&object, 4..7).await.unwrap(), b"the");
    assert_eq!(store.read(&object, 8..100).await.unwrap(), b"third");
    let gone = Object { version: first, size: 5, ..object.clone() };
    assert_eq!(kind(store.read(&gone, 0..5).await), ErrorKind::Changed);

    store.delete_version(&one, &third).await.unwrap();
    assert_eq!(kind(store.fetch(&one).await), ErrorKind::NotFound);
    assert_eq!(kind(store.read(&object, 0..5).await), ErrorKind::NotFound);
    let given = store.give(&one, b"again".to_vec(), Put::IfAbsent).await.unwrap();
    assert_eq!(store.fetch(&one).await.unwrap(), (b"again".to_vec(), given));
    assert_eq!(kind(store.give(&one, b"other".to_vec(), Put::IfAbsent).await), ErrorKind::AlreadyExists);
    store.delete(&one).await.unwrap();
    store.put(&one, b"", Put::IfAbsent).await.unwrap();
    assert_eq!(store.fetch(&one).await.unwrap().0, b"");
    store.delete(&one).await.unwrap();

    // Listings: by prefix and not by folder, in the order of bytes, a page at a time.
    let placed = ["list/a", "list/a.b", "list/a-b/1", "list/a-b/2", "list/b", "list/ö", "lists"];
    for place in placed {
        store.put(&name(place), place.as_bytes(), Put::Always).await.unwrap();
    }
    let mut wanted: Vec<String> = placed.iter().map(|place| name(place)).collect();
    wanted.sort();
    assert_eq!(names(store, &name("list")).await.unwrap(), wanted);
    let below: Vec<String> = wanted.iter().filter(|place| place.starts_with(&name("list/a"))).cloned().collect();
    assert_eq!(store.list(&name("list/a"), None, 100).await.unwrap(), below);
    let mut paged = Vec::new();
    loop {
        let page = store.list(&name("list/"), paged.last().map(String::as_str), 2).await.unwrap();
        assert!(page.len() <= 2);
        if page.is_empty() {
            break;
        }
        paged.extend(page);
    }
    assert_eq!(paged.len(), 6);
    let described = store.objects(&name("list/"), Some(&name("list/a.b")), 100).await.unwrap();
    for object in &described {
        assert_eq!(store.head(&object.name).await.unwrap(), *object);
    }
    assert_eq!(described.len(), 2);
    for place in &wanted {
        store.delete(place).await.unwrap();
    }
    assert_eq!(names(store, &name("list")).await.unwrap(), [""; 0]);
}

/// Of many who take the place of the same version, one succeeds. Each thread holds what `enter` gives while it writes: the
/// context that the store needs there, if it needs one.
pub fn one_writer_wins<G>(store: &impl Objects, prefix: &str, enter: impl Fn() -> G + Sync) {
    let _entered = enter();
    let place = format!("{prefix}/raced");
    let version = pollster::block_on(store.put(&place, b"0", Put::Always)).unwrap();
    let won = std::thread::scope(|scope| {
        let writers: Vec<_> = (1..9)
            .map(|writer: u32| {
                let (place, version, enter) = (&place, &version, &enter);
                scope.spawn(move || {
                    let _entered = enter();
                    let bytes = writer.to_string();
                    pollster::block_on(store.put(place, bytes.as_bytes(), Put::IfVersion(version))).is_ok()
                })
            })
            .collect();
        writers.into_iter().map(|writer| writer.join().unwrap()).filter(|&won| won).count()
    });
    assert_eq!(won, 1);
    pollster::block_on(store.delete(&place)).unwrap();
}

fn entry(body: impl Into<String>) -> Entry {
    Entry { body: body.into(), order: None }
}

const SECOND: i64 = 1_000_000;

/// Receives until nothing comes, removing what came.
async fn drain(queue: &impl Queue) -> Vec<Message> {
    let mut all = Vec::new();
    let mut idle = 0;
    while idle < 3 {
        let messages = queue.receive(MESSAGES_MAX, 30 * SECOND).await.unwrap();
        idle = if messages.is_empty() { idle + 1 } else { 0 };
        for message in messages {
            queue.delete(&message).await.unwrap();
            all.push(message);
        }
    }
    all
}

/// A standard queue that gives up after three receives, with its dead letters as a queue to read; `wait` lets so many
/// microseconds go by. Nothing is lost; things may come twice, and in any order.
pub async fn standard_queue<W: Future<Output = ()>>(
    queue: &impl Queue,
    dead: impl AsyncFn() -> Vec<(String, Option<String>)>,
    wait: impl Fn(i64) -> W,
) {
    let bodies: Vec<String> = (0..25).map(|number| format!("message {number}")).collect();
    send(queue, bodies.iter().map(entry).collect()).await.unwrap();
    let came: BTreeSet<String> = drain(queue).await.into_iter().map(|message| message.body).collect();
    assert_eq!(came, bodies.iter().cloned().collect());

    let too_many = vec![entry("x"); MESSAGES_MAX + 1];
    assert!(queue.send(&too_many).await.is_err());
    assert!(queue.send(&[]).await.is_err());
    let failed = queue.send(&[entry("good"), entry(""), entry("good too")]).await;
    // A batch with a bad message fails for that message, or as a whole.
    if let Ok(failed) = failed {
        assert_eq!(failed.iter().map(|(position, _)| *position).collect::<Vec<_>>(), [1]);
        assert!(drain(queue).await.len() >= 2);
    }

    // A message in flight is not given, comes again when its time has run out, and counts how often it came.
    send(queue, vec![entry("again")]).await.unwrap();
    let first = only(queue, 5 * SECOND).await;
    queue.change_visibility(&first, 0).await.unwrap();
    wait(1).await;
    let second = only(queue, 5 * SECOND).await;
    assert_eq!(second.body, "again");
    wait(6 * SECOND).await;
    let third = only(queue, 5 * SECOND).await;
    assert!(third.received >= 1, "the one that came twice, or its double");
    queue.delete(&third).await.unwrap();
    drain(queue).await;

    // What comes too often, and what is buried, lies among the dead letters.
    send(queue, vec![entry("worn")]).await.unwrap();
    for _ in 0..100 {
        for message in queue.receive(1, SECOND).await.unwrap() {
            queue.change_visibility(&message, 0).await.unwrap();
        }
        wait(2 * SECOND).await;
        if dead().await.iter().any(|(body, _)| body == "worn") {
            break;
        }
    }
    send(queue, vec![entry("poison")]).await.unwrap();
    // Doubles of what came before may still be about.
    let mut poison = only(queue, 5 * SECOND).await;
    while poison.body != "poison" {
        queue.delete(&poison).await.unwrap();
        poison = only(queue, 5 * SECOND).await;
    }
    queue.bury(&poison, "it says nothing").await.unwrap();
    let letters = dead().await;
    assert!(letters.contains(&("poison".to_owned(), Some("it says nothing".to_owned()))), "{letters:?}");
    assert!(letters.iter().any(|(body, _)| body == "worn"), "{letters:?}");
    drain(queue).await;
}

/// The next message, whichever delivery of it.
async fn only(queue: &impl Queue, visibility: i64) -> Message {
    for _ in 0..100 {
        if let Some(message) = queue.receive(1, visibility).await.unwrap().pop() {
            return message;
        }
    }
    panic!("a message that was sent comes");
}

/// A FIFO queue: the order of a group, one of a group at a time, and one message a deduplication id.
pub async fn fifo_queue<W: Future<Output = ()>>(queue: &impl Queue, prefix: &str, wait: impl Fn(i64) -> W) {
    let ordered = |group: &str, number: usize| Entry {
        body: format!("{group}{number}"),
        order: Some(Order { group: format!("{prefix}{group}"), deduplication: format!("{prefix}{group}{number}") }),
    };
    let entries: Vec<Entry> = (0..6).flat_map(|number| [ordered("a", number), ordered("b", number)]).collect();
    send(queue, entries.clone()).await.unwrap();
    send(queue, entries).await.unwrap();

    // While one of a group is in flight, no other of it comes.
    let a0 = only(queue, 30 * SECOND).await;
    assert_eq!((a0.body.as_str(), a0.received), ("a0", 1));
    let b0 = only(queue, 30 * SECOND).await;
    assert_eq!(b0.body, "b0");
    assert_eq!(queue.receive(MESSAGES_MAX, 30 * SECOND).await.unwrap(), []);
    // The one that was not dealt with comes again before those behind it.
    queue.change_visibility(&a0, 0).await.unwrap();
    wait(1).await;
    let again = only(queue, 30 * SECOND).await;
    assert_eq!((again.body.as_str(), again.received), ("a0", 2));
    queue.delete(&again).await.unwrap();
    queue.delete(&b0).await.unwrap();

    let mut came: Vec<Message> = Vec::new();
    while let Some(message) = queue.receive(1, 30 * SECOND).await.unwrap().pop() {
        queue.delete(&message).await.unwrap();
        came.push(message);
    }
    for group in ["a", "b"] {
        let of: Vec<&str> =
            came.iter().map(|message| message.body.as_str()).filter(|body| body.starts_with(group)).collect();
        let wanted: Vec<String> = (1..6).map(|number| format!("{group}{number}")).collect();
        assert_eq!(of, wanted, "each once, in order");
    }
    assert!(queue.send(&[entry("without a group")]).await.is_err_or_failed());
}

/// A FIFO queue takes an id again after five minutes: for queues whose time can be moved.
pub async fn fifo_queue_forgets<W: Future<Output = ()>>(queue: &impl Queue, prefix: &str, wait: impl Fn(i64) -> W) {
    let order = Order { group: format!("{prefix}g"), deduplication: format!("{prefix}d") };
    let entry = Entry { body: "again".to_owned(), order: Some(order) };
    let come = async || {
        let messages = queue.receive(1, 30 * SECOND).await.unwrap();
        for message in &messages {
            queue.delete(message).await.unwrap();
        }
        messages.len()
    };
    send(queue, vec![entry.clone()]).await.unwrap();
    assert_eq!(come().await, 1);
    wait(5 * 60 * SECOND - SECOND).await;
    send(queue, vec![entry.clone()]).await.unwrap();
    assert_eq!(come().await, 0);
    wait(5 * 60 * SECOND + 1).await;
    send(queue, vec![entry]).await.unwrap();
    assert_eq!(come().await, 1);
}

/// A warehouse that works on its own: a token is a statement, for good; a load is in the ledger once. Loads without rows are
/// enough to see that, so that no staged files are needed; `wait` lets so many microseconds go by.
pub async fn data_warehouse<W: Future<Output = ()>>(
    warehouse: &impl DataWarehouse,
    table: &Table,
    prefix: &str,
    wait: impl Fn(i64) -> W,
) {
    let batch = |name: &str, generation| LoadBatch {
        input: format!("{prefix} {name}"),
        batch: format!("{prefix} {name} {generation}"),
        generation,
        source: name.to_owned(),
        source_version: "1".to_owned(),
        content: "1".to_owned(),
        pipeline: "p".to_owned(),
        fingerprint: "f".to_owned(),
        batch_time: 0,
        staged: 0,
        replaces_source: false,
        replaces_generations: false,
        versions: Vec::new(),
    };
    let order = |batches: Vec<LoadBatch>| LoadOrder {
        load: format!("{prefix} load"),
        table: table.clone(),
        loaded_at: 0,
        batches,
        parts: Vec::new(),
    };
    let ended = async |statement: &str| loop {
        match warehouse.status(statement).await.unwrap() {
            StatementState::Running => wait(SECOND).await,
            ended => return ended,
        }
    };
    let inputs = [format!("{prefix} a"), format!("{prefix} b")];
    let loaded = async || {
        let rows = warehouse.ledger(table, &inputs).await.unwrap();
        rows.into_iter().map(|(batch, _)| batch.batch).collect::<BTreeSet<_>>()
    };
    let token = |name: &str| sha256(format!("{prefix} {name}").as_bytes());
    assert_eq!(kind(warehouse.status("no such statement").await), ErrorKind::NotFound);
    assert_eq!(loaded().await, BTreeSet::new());

    let first = warehouse.submit(&order(vec![batch("a", 0)]), &token("1")).await.unwrap();
    assert_eq!(warehouse.submit(&order(vec![batch("a", 0)]), &token("1")).await.unwrap(), first);
    assert_eq!(ended(&first).await, StatementState::Finished);
    let a = BTreeSet::from([format!("{prefix} a 0")]);
    assert_eq!(loaded().await, a);
    assert_eq!(warehouse.submit(&order(vec![batch("a", 0)]), &token("1")).await.unwrap(), first);

    // What the ledger has makes the whole load fail, and a failed statement stays failed under its token.
    let both = order(vec![batch("b", 0), batch("a", 0)]);
    let second = warehouse.submit(&both, &token("2")).await.unwrap();
    assert_ne!(second, first);
    assert!(matches!(ended(&second).await, StatementState::Failed(..)));
    assert_eq!(loaded().await, a);
    assert_eq!(warehouse.submit(&order(vec![batch("b", 0)]), &token("2")).await.unwrap(), second);
    assert!(matches!(ended(&second).await, StatementState::Failed(..)));

    // Another token is another try, and another generation is another input.
    let third = warehouse.submit(&order(vec![batch("b", 0), batch("a", 1)]), &token("3")).await.unwrap();
    assert_eq!(ended(&third).await, StatementState::Finished);
    assert_eq!(loaded().await.len(), 3);
}

/// A message that is not taken is told either way.
trait Refusal {
    fn is_err_or_failed(&self) -> bool;
}

impl Refusal for Result<Vec<(usize, Error)>, Error> {
    fn is_err_or_failed(&self) -> bool {
        self.as_ref().map_or(true, |failed| !failed.is_empty())
    }
}
