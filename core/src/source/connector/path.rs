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
        Value::Array(items) => place(segment, items.len()).and_then(|at| items.get(at)),
        _ => None,
    })
}

/// The place of an item that a segment means; one below nothing counts from the end.
fn place(segment: &str, length: usize) -> Option<usize> {
    let at = match segment.strip_prefix('-') {
        Some(from_end) => length.checked_sub(from_end.parse().ok().filter(|from_end| *from_end > 0)?)?,
        None => segment.parse().ok()?,
    };
    (at < length).then_some(at)
}

/// Whether a path has globs.
pub(super) fn has_globs(path: &[String]) -> bool {
    path.iter().any(|segment| segment.contains(['*', '?', '[']))
}

/// The one value at a path that may have globs; the error says that there are several.
pub(super) fn find<'a>(value: &'a Value, path: &[String]) -> Result<Option<&'a Value>, String> {
    if !has_globs(path) {
        return Ok(get(value, path));
    }
    let mut found = values(value, path).into_iter();
    match (found.next(), found.next()) {
        (found, None) => Ok(found),
        _ => Err(format!("`{}` leads to more than one place", path.join("/"))),
    }
}

/// The value at a path without globs, for good.
pub(super) fn take(value: Value, path: &[String]) -> Option<Value> {
    path.iter().try_fold(value, |value, segment| match value {
        Value::Object(mut map) => map.swap_remove(segment),
        Value::Array(mut items) => {
            let at = place(segment, items.len())?;
            Some(items.swap_remove(at))
        }
        _ => None,
    })
}

/// The values at a path with globs, `*`, `?`, `[a-c]`, `[!a]` and `**`, in the order of the document.
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

/// A part of a glob.
enum Mark {
    /// `*`
    Any,
    /// `?`
    One,
    /// `[a-c]`, `[!a-c]`: whether it is those that are not in the ranges, and the ranges.
    Of(bool, Vec<(char, char)>),
    Is(char),
}

/// The parts of a glob of one segment, as Python's `fnmatch` reads it.
fn marks(glob: &str) -> Vec<Mark> {
    let glob: Vec<char> = glob.chars().collect();
    let (mut marks, mut at) = (Vec::new(), 0);
    while let Some(&c) = glob.get(at) {
        at += 1;
        let of = match c {
            '*' => Some(Mark::Any),
            '?' => Some(Mark::One),
            '[' => {
                let is_not = glob.get(at) == Some(&'!');
                let start = at + usize::from(is_not);
                // A bracket that stands first is one of the characters.
                let end = (start + 1..glob.len()).find(|end| glob[*end] == ']');
                end.map(|end| {
                    at = end + 1;
                    let (mut ranges, mut of) = (Vec::new(), start);
                    while of < end {
                        let is_range = of + 2 < end && glob[of + 1] == '-';
                        ranges.push((glob[of], if is_range { glob[of + 2] } else { glob[of] }));
                        of += if is_range { 3 } else { 1 };
                    }
                    Mark::Of(is_not, ranges)
                })
            }
            _ => None,
        };
        marks.push(of.unwrap_or(Mark::Is(c)));
    }
    marks
}

/// Whether a key is what a glob of one segment means.
fn is_match(key: &str, glob: &str) -> bool {
    if !glob.contains(['*', '?', '[']) {
        return key == glob;
    }
    let (key, glob): (Vec<char>, Vec<Mark>) = (key.chars().collect(), marks(glob));
    let fits = |mark: &Mark, c: char| match mark {
        Mark::Any => false,
        Mark::One => true,
        Mark::Of(is_not, ranges) => ranges.iter().any(|(from, to)| (*from..=*to).contains(&c)) != *is_not,
        Mark::Is(wanted) => *wanted == c,
    };
    let (mut at, mut of, mut star) = (0, 0, None);
    while at < key.len() {
        match glob.get(of) {
            Some(Mark::Any) => {
                star = Some((of, at));
                of += 1;
            }
            Some(mark) if fits(mark, key[at]) => {
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
    glob[of..].iter().all(|mark| matches!(mark, Mark::Any))
}

/// Writes a value at a path, and makes what is not there on the way; the error is a sentence.
pub(super) fn set(value: &mut Value, path: &[String], new: Value) -> Result<(), String> {
    let Some((segment, rest)) = path.split_first() else {
        *value = new;
        return Ok(());
    };
    let mut is_new = false;
    let child = match value {
        Value::Object(map) => map.entry(segment.clone()).or_insert_with(|| {
            is_new = true;
            Value::Null
        }),
        Value::Array(items) => {
            is_new = true;
            let at = segment.parse::<usize>().ok().filter(|at| *at < LIST_ITEMS_MAX);
            let at = at.ok_or_else(|| format!("`{segment}` is no place in a list"))?;
            while items.len() <= at {
                items.push(Value::Null);
            }
            &mut items[at]
        }
        _ => return Err(format!("there is nothing to write `{segment}` into")),
    };
    // A null that was there is something, into which nothing can be written.
    if let Some(next) = rest.first().filter(|_| is_new && child.is_null()) {
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
                    // `**` is also what it stands behind.
                    if rest == ["**"] && map.get(&key).is_some_and(&mut *is_removed) {
                        map.shift_remove(&key);
                    }
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
        assert_eq!(found("[a-b]/[!y]"), [json!(1), json!(3)]);
        assert_eq!(found("[!ab]/0/x"), [json!(4)]);
        assert_eq!(get(&value, &path("c/-1/x")), Some(&json!(4)));
        assert_eq!((get(&value, &path("c/-2")), get(&value, &path("c/-0"))), (None, None));
        assert_eq!(find(&value, &path("c/*/x")), Ok(Some(&json!(4))));
        assert_eq!(find(&value, &path("d/*")), Ok(None));
        assert!(find(&value, &path("*/x")).is_err());
        for (key, glob, fits) in [("]", "[]]", true), ("[", "[", true), ("ab", "[a", false), ("-", "[a-]", true)] {
            assert_eq!(is_match(key, glob), fits, "{key} {glob}");
        }
    }

    #[test]
    fn what_is_written_makes_its_way() {
        let mut value = json!({"a": 1});
        set(&mut value, &path("b/c"), json!(2)).unwrap();
        set(&mut value, &path("l/1/x"), json!(3)).unwrap();
        assert_eq!(value, json!({"a": 1, "b": {"c": 2}, "l": [null, {"x": 3}]}));
        assert!(set(&mut value, &path("a/b"), json!(1)).is_err());
        // What is null is there.
        assert!(set(&mut json!({"a": null}), &path("a/b"), json!(1)).is_err());
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
        let mut value = json!({"a": {"b": {"c": 1}}, "b": 1, "z": 2});
        remove(&mut value, &path("a/**"), &mut |_| true);
        remove(&mut value, &path("[a-c]"), &mut |_| true);
        assert_eq!(value, json!({"z": 2}));
    }
}
