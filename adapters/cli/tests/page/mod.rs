//! Page: the blocks of a page of documentation, the commands in them, and whether what they print is what the page shows.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail")]

/// A fenced block of a page.
#[derive(Debug)]
pub(crate) struct Block {
    /// The line of the fence, from 1.
    pub(crate) line: usize,
    /// What stands after the fence.
    pub(crate) info: String,
    pub(crate) text: String,
}

/// A command, what the page shows of its output, and the code that it must end with.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) command: String,
    pub(crate) shown: Option<String>,
    pub(crate) exit_code: i32,
}

/// The fenced blocks of a page.
pub(crate) fn blocks(page: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut is_inside = false;
    for (line, text) in page.lines().enumerate() {
        match text.strip_prefix("```") {
            Some(_) if is_inside => is_inside = false,
            Some(info) => {
                is_inside = true;
                blocks.push(Block { line: line + 1, info: info.to_owned(), text: String::new() });
            }
            None if is_inside => blocks.last_mut().unwrap().text += &format!("{text}\n"),
            None => {}
        }
    }
    blocks
}

/// The commands of a block.
pub(crate) fn steps(block: &Block) -> Vec<Step> {
    let step = |command: &str, shown| Step { command: command.to_owned(), shown, exit_code: 0 };
    let mut steps: Vec<Step> = Vec::new();
    if block.info == "sh" {
        return block.text.lines().map(|line| step(line, None)).collect();
    }
    for line in block.text.lines() {
        match (line.strip_prefix("$ "), steps.last_mut()) {
            (Some(command), _) => steps.push(step(command, Some(String::new()))),
            (None, Some(last)) => *last.shown.as_mut().unwrap() += &format!("{line}\n"),
            (None, None) => panic!("line {}: a console begins with a command", block.line),
        }
    }
    let code = block.info.split(' ').find_map(|word| word.strip_prefix("exit="));
    if let (Some(code), Some(last)) = (code, steps.last_mut()) {
        last.exit_code = code.parse().unwrap();
    }
    steps
}

/// Puts a sign for what is different every time: how long something took.
pub(crate) fn normal(text: &str) -> String {
    let mut lines = String::new();
    for line in text.lines() {
        let seconds = line.strip_suffix(" s").and_then(|rest| rest.rsplit_once(", "));
        match seconds.filter(|(_, number)| number.parse::<f64>().is_ok()) {
            Some((before, _)) => lines += &format!("{before}, ? s\n"),
            None => lines += &format!("{line}\n"),
        }
    }
    lines
}

/// Whether lines are those that are shown, where `…` alone on a line stands for any lines.
pub(crate) fn fits(shown: &[&str], found: &[&str]) -> bool {
    match shown.split_first() {
        None => found.is_empty(),
        Some((line, rest)) if line.trim() == "…" => (0..=found.len()).any(|skip| fits(rest, &found[skip..])),
        Some((line, rest)) => found.split_first().is_some_and(|(first, others)| first == line && fits(rest, others)),
    }
}
