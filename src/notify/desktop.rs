//! The freedesktop.org notification service (Desktop Notifications Specification 1.2).

use super::{Action, Message};
use notify_rust::{Notification, NotificationResponse, Timeout};
use std::time::Duration;
use tokio::sync::mpsc;

/// A service that does not answer must not hold up the daemon.
const PATIENCE: Duration = Duration::from_secs(5);
/// A popup nobody touched is forgotten after this.
const LIFETIME: Duration = Duration::from_secs(24 * 3600);

/// Shows a popup; what the person presses is sent to `pressed`.
pub(super) async fn show(
    message: &Message,
    pressed: mpsc::Sender<(String, Action)>,
) -> Result<(), String> {
    let mut popup = Notification::new();
    popup
        .appname("emptor")
        .summary(&message.title)
        .body(&escape(&message.body))
        .timeout(Timeout::Default);
    for action in message.actions {
        let (key, label) = action.names();
        popup.action(key, label);
    }
    let handle = tokio::time::timeout(PATIENCE, popup.show_async())
        .await
        .map_err(|_| "the notification service does not answer".to_owned())?
        .map_err(|e| e.to_string())?;
    if !message.actions.is_empty() {
        let (key, offered) = (message.key.clone(), message.actions);
        tokio::spawn(async move {
            let wait = handle.wait_for_action_async(|response| {
                let mut offered = offered.iter().copied();
                let action = match response {
                    NotificationResponse::Default => Some(Action::Open),
                    NotificationResponse::Action(id) => offered.find(|a| a.names().0 == id),
                    _ => None,
                };
                if let Some(action) = action {
                    // A full queue means the daemon is busy; the person can press again.
                    let _ = pressed.try_send((key, action));
                }
            });
            let _ = tokio::time::timeout(LIFETIME, wait).await;
        });
    }
    Ok(())
}

/// The body is a small mark-up language; foreign text must not speak it.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

/// The name of the service, if one answers.
pub(super) async fn service() -> Option<String> {
    let ask = tokio::task::spawn_blocking(notify_rust::get_server_information);
    let info = tokio::time::timeout(PATIENCE, ask).await.ok()?.ok()?.ok()?;
    Some(format!("{} {}", info.name, info.version))
}
