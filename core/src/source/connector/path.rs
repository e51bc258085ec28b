//! Path: a way into JSON, as the reference's `dpath` walks it. A segment is a key, the place of an item in a list, or a glob.

use serde_json::{Map, Value};

/// Most items that a list grows to because a path names one.
const LIST_ITEMS_MAX: usize = 10_000;

/// The segments of a path that is written as one text, with `/` between them.
pub(super) fn segments(text: &str) -> Vec<String> {
    text.trim_start_matches('/').split('/').map(ToOwned::to_owned).collect()
}

/// The value at a path without globs.
pub(super) fn get<'a>(value: &'a Value, path: &[String]) -> Option<&'a Value> {
    path.iter().try_fold(value, |value, segment| match value {
        Value::Object(map) => map.get(segment),
        Value::Array(items) => segment.parse::<usize>().ok().and_then(|at| items.get(at)),
        _ => None,
    })
}

/// The value at a path without globs, for good.
pub(super) fn take(value: Value, path: &[String]) -> Option<Value> {
    path.iter().try_fold(value, |value, segment| match value {
        Value::Object(mut map) => map.swap_remove(segment),
        Value::Array(mut items) => {
            let at = segment.parse::<usize>().ok().filter(|at| *at < items.len())?;
            Some(items.swap_remove(at))
        }
        _ => None,
    })
}

/// The values at a path with globs, `*`, `?` and `**`, in the order of the document.
pub(super) fn values<'a>(value: &'a Value, path: &[String]) -> Vec<&'a Value> {
    let Some((glob, rest)) = path.split_first() else { return vec![value] };
    let mut found = Vec::new();
    if glob == "**" {
        found.extend(values(value, rest));
    }
    for (key, child) in children(value) {
        if glob == "**" {
            found.extend(values(child, path));
        } else if is_match(&key, glob) {
            found.extend(values(child, rest));
        }
    }
    found
}

fn children(value: &Value) -> Vec<(String, &Value)> {
    match value {
        Value::Object(map) => map.iter().map(|(key, child)| (key.clone(), child)).collect(),
        Value::Array(items) => items.iter().enumerate().map(|(at, child)| (at.to_string(), child)).collect(),
        _ => Vec::new(),
    }
}

/// Whether a key is what a glob of one segment means.
fn is_match(key: &str, glob: &str) -> bool {
    let (key, glob): (Vec<char>, Vec<char>) = (key.chars().collect(), glob.chars().collect());
    let (mut at, mut of, mut star) = (0, 0, None);
    while at < key.len() {
        match glob.get(of) {
            Some('*') => {
                star = Some((of, at));
                of += 1;
            }
            Some(c) if *c == '?' || *c == key[at] => {
                at += 1;
                of += 1;
            }
            _ => match star {
                Some((glob_at, key_at)) => {
                    of = glob_at + 1;
                    at = key_at + 1;
                    star = Some((glob_at, key_at + 1));
                }
                None => return false,
            },
        }
    }
    glob[of..].iter().all(|c| *c == '*')
}

/// Writes a value at a path, and makes what is not there on the way; the error is a sentence.
pub(super) fn set(value: &mut Value, path: &[String], new: Value) -> Result<(), String> {
    let Some((segment, rest)) = path.split_first() else {
        *value = new;
        return Ok(());
    };
    let child = match value {
        Value::Object(map) => map.entry(segment.clone()).or_insert(Value::Null),
        Value::Array(items) => {
            let at = segment.parse::<usize>().ok().filter(|at| *at < LIST_ITEMS_MAX);
            let at = at.ok_or_else(|| format!("`{segment}` is no place in a list"))?;
            while items.len() <= at {
                items.push(Value::Null);
            }
            &mut items[at]
        }
        _ => return Err(format!("there is nothing to write `{segment}` into")),
    };
    if let Some(next) = rest.first().filter(|_| child.is_null()) {
        let is_place = !next.is_empty() && next.bytes().all(|b| b.is_ascii_digit());
        *child = if is_place { Value::Array(Vec::new()) } else { Value::Object(Map::new()) };
    }
    set(child, rest, new)
}

/// Writes a value wherever a path with globs leads to something, and gives how often that is.
pub(super) fn replace(value: &mut Value, path: &[String], new: &Value) -> usize {
    let Some((glob, rest)) = path.split_first() else {
        value.clone_from(new);
        return 1;
    };
    let is_any = glob == "**";
    let mut changed = if is_any && !rest.is_empty() { replace(value, rest, new) } else { 0 };
    let into = |name: &str, child: &mut Value| match is_any {
        true if child.is_object() || child.is_array() => replace(child, path, new),
        true if rest.is_empty() => replace(child, rest, new),
        true => 0,
        false if is_match(name, glob) => replace(child, rest, new),
        false => 0,
    };
    match value {
        Value::Object(map) => map.iter_mut().for_each(|(name, child)| changed += into(name, child)),
        Value::Array(items) => {
            items.iter_mut().enumerate().for_each(|(at, child)| changed += into(&at.to_string(), child));
        }
        _ => {}
    }
    changed
}

/// Removes what is at a path with globs, if `is_removed` says so of it. An item of a list becomes null, or goes if it is
/// the last.
pub(super) fn remove(value: &mut Value, path: &[String], is_removed: &mut dyn FnMut(&Value) -> bool) {
    let Some((glob, rest)) = path.split_first() else { return };
    if glob == "**" {
        remove(value, rest, is_removed);
    }
    match value {
        Value::Object(map) => {
            let keys: Vec<String> = map.keys().filter(|key| glob == "**" || is_match(key, glob)).cloned().collect();
            for key in keys {
                if glob == "**" && !rest.is_empty() {
                    map.get_mut(&key).into_iter().for_each(|child| remove(child, path, is_removed));
                } else if rest.is_empty() {
                    if map.get(&key).is_some_and(&mut *is_removed) {
                        map.shift_remove(&key);
                    }
                } else {
                    map.get_mut(&key).into_iter().for_each(|child| remove(child, rest, is_removed));
                }
            }
        }
        Value::Array(items) => {
            for at in 0..items.len() {
                if glob == "**" && !rest.is_empty() {
                    remove(&mut items[at], path, is_removed);
                } else if glob != "**" && !is_match(&at.to_string(), glob) {
                } else if !rest.is_empty() {
                    remove(&mut items[at], rest, is_removed);
                } else if is_removed(&items[at]) {
                    remove_item(items, at);
                }
            }
        }
        _ => {}
    }
}

/// Removes every value without parts of which `is_removed` says so, however deep.
pub(super) fn remove_leaves(value: &mut Value, is_removed: &mut dyn FnMut(&Value) -> bool) {
    let is_leaf = |value: &Value| !value.is_object() && !value.is_array();
    match value {
        Value::Object(map) => {
            map.retain(|_, child| !is_leaf(child) || !is_removed(child));
            map.values_mut().for_each(|child| remove_leaves(child, is_removed));
        }
        Value::Array(items) => {
            for at in 0..items.len() {
                if is_leaf(&items[at]) && is_removed(&items[at]) {
                    remove_item(items, at);
                }
            }
            items.iter_mut().for_each(|child| remove_leaves(child, is_removed));
        }
        _ => {}
    }
}

/// Removes an item, in the order of the list: the places of the others stay, so that it becomes null unless it is the last.
fn remove_item(items: &mut Vec<Value>, at: usize) {
    if at + 1 == items.len() {
        items.pop();
    } else {
        items[at] = Value::Null;
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn path(text: &str) -> Vec<String> {
        segments(text)
    }

    #[test]
    fn globs_find_what_they_mean() {
        let value = json!({"a": {"x": 1, "y": 2}, "b": {"x": 3}, "c": [{"x": 4}]});
        let found = |text: &str| values(&value, &path(text)).into_iter().cloned().collect::<Vec<_>>();
        assert_eq!(found("*/x"), [json!(1), json!(3)]);
        assert_eq!(found("a/?"), [json!(1), json!(2)]);
        assert_eq!(found("**/x"), [json!(1), json!(3), json!(4)]);
        assert_eq!(get(&value, &path("c/0/x")), Some(&json!(4)));
    }

    #[test]
    fn what_is_written_makes_its_way() {
        let mut value = json!({"a": 1});
        set(&mut value, &path("b/c"), json!(2)).unwrap();
        set(&mut value, &path("l/1/x"), json!(3)).unwrap();
        assert_eq!(value, json!({"a": 1, "b": {"c": 2}, "l": [null, {"x": 3}]}));
        assert!(set(&mut value, &path("a/b"), json!(1)).is_err());
    }

    #[test]
    fn what_is_removed_is_gone() {
        let mut value = json!({"a": {"b": 1, "c": 2}, "l": [{"x": 1, "y": 1}, {"x": 2}], "d": 1});
        for text in ["a/b", "l/*/x", "d", "nowhere/x"] {
            remove(&mut value, &path(text), &mut |_| true);
        }
        assert_eq!(value, json!({"a": {"c": 2}, "l": [{"y": 1}, {}]}));
        let mut value = json!({"t": ["a", "b", "c"], "l": [1, 2]});
        remove(&mut value, &path("t/*"), &mut |_| true);
        remove(&mut value, &path("l/0"), &mut |_| true);
        assert_eq!(value, json!({"t": [null, null], "l": [null, 2]}));
    }
}
