//! `emptor wish tune`: what preferences are worth, found out by a few comparisons.

use super::client::encode;
use super::context::{CliError, Context, Result, aside};
use crate::agent::api::types::{Question, TuneAnswer, TuneReply};
use crate::engine::rank::elicit::Answer;
use crate::model::Money;
use clap::ValueEnum;
use std::io::IsTerminal;

/// Questions asked in one go.
const MAX_QUESTIONS: usize = 8;

/// An answer on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Reply {
    /// I would pay that
    Yes,
    /// I would not
    No,
    /// I do not mind either way
    Same,
}

impl From<Reply> for Answer {
    fn from(reply: Reply) -> Self {
        match reply {
            Reply::Yes => Self::Yes,
            Reply::No => Self::No,
            Reply::Same => Self::Same,
        }
    }
}

/// Runs it: the answers given, else questions on the terminal, else the next question.
///
/// # Errors
/// Whatever the daemon says.
pub async fn run(cx: &mut Context, want: &str, answers: &[Reply]) -> Result {
    let path = format!("/v1/wants/{}/tune", encode(want));
    let mut state: TuneReply = cx.get(&path).await?;
    for (given, answer) in answers.iter().enumerate() {
        if given > 0 && state.question.is_none() {
            let idle = answers.len() - given;
            aside(format_args!(
                "note: no question is left; answers not used: {idle}\n"
            ));
            break;
        }
        state = tell(cx, &path, None, (*answer).into()).await?;
    }
    if answers.is_empty() && std::io::stdin().is_terminal() && !cx.global.json {
        for _ in 0..MAX_QUESTIONS {
            let Some(question) = &state.question else {
                break;
            };
            let Some(answer) = ask(question)? else { break };
            state = tell(cx, &path, Some(question.id.clone()), answer).await?;
        }
    }
    cx.show(&state, print)
}

async fn tell(
    cx: &mut Context,
    path: &str,
    id: Option<String>,
    answer: Answer,
) -> Result<TuneReply> {
    cx.post(path, &TuneAnswer { id, answer }).await
}

/// Asks on the terminal; nothing means enough for now.
fn ask(question: &Question) -> Result<Option<Answer>> {
    loop {
        aside(format_args!(
            "{} [y]es, [n]o, [s]ame to me, [q]uit: ",
            question.text
        ));
        let mut text = String::new();
        let read = std::io::stdin()
            .read_line(&mut text)
            .map_err(|e| CliError::failed(format!("cannot read the answer: {e}")))?;
        match text.trim().to_ascii_lowercase().as_str() {
            "y" | "yes" => return Ok(Some(Answer::Yes)),
            "n" | "no" => return Ok(Some(Answer::No)),
            "s" | "same" => return Ok(Some(Answer::Same)),
            "q" | "quit" => return Ok(None),
            _ if read == 0 => return Ok(None),
            _ => {}
        }
    }
}

fn print(cx: &Context, state: &TuneReply) {
    let money = |m: &Money| cx.locale.money(m);
    cx.line(&format!(
        "{}  {}",
        cx.bold(&state.name),
        cx.dim(&format!("[{}]", state.want))
    ));
    for t in &state.trade_offs {
        let settled = if t.settled { ", settled" } else { "" };
        cx.line(&format!(
            "  {}: worth {} ({} to {}{settled})",
            t.id,
            money(&t.worth),
            money(&t.low),
            money(&t.high)
        ));
    }
    if let Some(question) = &state.question {
        cx.line(&question.text);
        cx.line(&cx.dim("  answer with --answer yes, no or same"));
    }
    if let Some(reason) = &state.reason {
        cx.line(&cx.dim(&format!("  {reason}")));
    }
}
