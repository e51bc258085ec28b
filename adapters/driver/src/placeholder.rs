//! Placeholders: `${NAME}` and `${secret:name}` in a pipeline's files, addresses and table, and `$$` for a dollar sign.

/// The names of the placeholders of a text, in order: `NAME`, `secret:name`.
pub fn names(text: &str) -> Vec<&str> {
    pieces(text).filter_map(|piece| if let Piece::Placeholder(name) = piece { Some(name) } else { None }).collect()
}

/// The text with each placeholder's value in its place. `value` is asked for each, in order.
pub fn resolve<E>(text: &str, mut value: impl FnMut(&str) -> Result<String, E>) -> Result<String, E> {
    let mut resolved = String::new();
    for piece in pieces(text) {
        match piece {
            Piece::Text(text) => resolved.push_str(text),
            Piece::Placeholder(name) => resolved.push_str(&value(name)?),
        }
    }
    Ok(resolved)
}

enum Piece<'a> {
    Text(&'a str),
    Placeholder(&'a str),
}

fn pieces(text: &str) -> impl Iterator<Item = Piece<'_>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let (piece, after) = match rest.find('$') {
            Some(0) => match rest.strip_prefix("${").and_then(|inside| inside.split_once('}')) {
                Some((name, after)) => (Piece::Placeholder(name), after),
                None => (Piece::Text("$"), rest.strip_prefix("$$").unwrap_or_else(|| &rest[1..])),
            },
            Some(at) => (Piece::Text(&rest[..at]), &rest[at..]),
            None if rest.is_empty() => return None,
            None => (Piece::Text(rest), ""),
        };
        rest = after;
        Some(piece)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_resolved_and_dollars_escaped() {
        let upper = |text: &str| resolve(text, |name| Ok::<_, ()>(name.to_uppercase()));
        assert_eq!(upper("a$$b$"), Ok("a$b$".to_owned()));
        assert_eq!(upper("x/${path}/${secret:key}"), Ok("x/PATH/SECRET:KEY".to_owned()));
        assert_eq!(names("$${a}${b}/${secret:c}$"), ["b", "secret:c"]);
        assert_eq!(resolve("${a}", |name| Err::<String, _>(name.to_owned())), Err("a".to_owned()));
    }
}
