//! The laws of JSON and of JSON paths, over generated values, against models that are nothing but plain.

use etalon_core::testing::expression::any_text_is_a_path_or_explained;
use etalon_core::testing::language;
use etalon_core::testing::value::json_text;
use etalon_core::value::json::{Change, Style, Tree};
use proptest::prelude::*;
use serde_json::Value;

fn tree(text: &str) -> Tree<'_> {
    Tree::parse(text).unwrap()
}

fn print(tree: &Tree<'_>) -> String {
    let mut out = String::new();
    tree.write(Style::Normal, &mut out).unwrap();
    out
}

/// A value by another reader; numbers by their value.
fn model(text: &str) -> Value {
    match serde_json::from_str(text).unwrap() {
        Value::Number(number) => number.as_f64().map(|number| number + 0.0).into(),
        Value::Array(elements) => elements.iter().map(|element| model(&element.to_string())).collect(),
        Value::Object(members) => members
            .into_iter()
            .map(|(name, value)| (name, model(&value.to_string())))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        scalar => scalar,
    }
}

fn names() -> impl Strategy<Value = Vec<Option<String>>> {
    let step = prop_oneof!["[ab]{0,2}", "-?[0-3]"].prop_map(Some);
    prop::collection::vec(step, 1..4)
}

/// What a path of names and places leads to.
fn follow<'a, 't>(tree: &'a Tree<'t>, path: &[Option<String>]) -> Option<&'a Tree<'t>> {
    path.iter().flatten().try_fold(tree, |tree, step| match tree {
        Tree::Array(elements) => {
            let place: i64 = step.parse().ok()?;
            let length = i64::try_from(elements.len()).unwrap();
            elements.get(usize::try_from(if place < 0 { place + length } else { place }).ok()?)
        }
        tree => tree.member(step),
    })
}

proptest! {
    #[test]
    fn the_order_is_total(one in json_text(), two in json_text(), three in json_text()) {
        let (one, two, three) = (tree(&one), tree(&two), tree(&three));
        prop_assert_eq!(one.order(&two), two.order(&one).reverse());
        if one.order(&two).is_le() && two.order(&three).is_le() {
            prop_assert!(one.order(&three).is_le());
        }
        prop_assert!(one.order(&one).is_eq());
    }

    #[test]
    fn equal_values_are_equal_to_another_reader(one in json_text(), two in json_text()) {
        let same = tree(&one).order(&tree(&two)).is_eq();
        prop_assert_eq!(same, model(&print(&tree(&one))) == model(&print(&tree(&two))));
    }

    #[test]
    fn a_value_contains_what_stands_in_it(text in json_text(), other in json_text()) {
        let (all, other) = (tree(&text), tree(&other));
        prop_assert_eq!(all.contains(&all), Ok(true));
        let joined = Tree::joined(vec![all.clone(), other.clone()]);
        if let (Tree::Object(_), Tree::Object(_)) = (&all, &other) {
            prop_assert_eq!(joined.contains(&other), Ok(true));
        }
        if let (Tree::Array(_), Tree::Array(_)) = (&all, &other) {
            prop_assert_eq!((joined.contains(&all), joined.contains(&other)), (Ok(true), Ok(true)));
        }
    }

    #[test]
    fn what_was_set_is_there_and_what_was_deleted_is_not(text in json_text(), path in names()) {
        let before = tree(&text);
        let value = Tree::String("new".into());
        if let Ok(after) = before.clone().changed(&path, &Change::Set(value.clone())) {
            let has_parent = path.len() == 1 || follow(&before, &path[..path.len() - 1]).is_some_and(|parent| !parent.is_scalar());
            match follow(&before, &path) {
                // What is there is replaced, and nothing else changes.
                Some(found) => {
                    prop_assert_eq!(follow(&after, &path), Some(&value));
                    let back = after.changed(&path, &Change::Replace(found.clone())).unwrap();
                    prop_assert_eq!(back, before.clone());
                }
                None => prop_assert_eq!(after == before, !has_parent),
            }
        }
        if let Ok(after) = before.clone().changed(&path, &Change::Delete) {
            let (before, after) = (print(&before), print(&after));
            prop_assert_eq!(after.len() < before.len(), follow(&tree(&before), &path).is_some(), "{} {}", before, after);
        }
    }

    #[test]
    fn without_nulls_there_is_none(text in json_text()) {
        fn has_null(tree: &Tree<'_>) -> bool {
            match tree {
                Tree::Object(members) => members.iter().any(|(_, value)| *value == Tree::Null || has_null(value)),
                Tree::Array(elements) => elements.iter().any(has_null),
                _ => false,
            }
        }
        let thin = tree(&text).without_nulls();
        prop_assert!(!has_null(&thin));
        prop_assert_eq!(thin.clone().without_nulls(), thin);
    }

    #[test]
    fn a_path_is_found_or_explained(path in prop_oneof![language::kind("path", 3), "[$@.*\\[\\]()?a0-9 <>=!&|\"]{0,20}"], text in json_text()) {
        any_text_is_a_path_or_explained(&path, &text);
    }
}
