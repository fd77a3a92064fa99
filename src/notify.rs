//! From alerts to the person: the desktop popup, and the log where there is none.

#[cfg(target_os = "linux")]
mod desktop;

use tokio::sync::mpsc;

/// What is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Tells which message an action belongs to.
    pub key: String,
    /// One line.
    pub title: String,
    /// The reason, with the numbers.
    pub body: String,
    /// Its buttons, in order.
    pub actions: &'static [Action],
}

/// What the person can press on a popup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Open the offer, or the plan for the list, in the browser.
    Open,
    /// Ask again later.
    Snooze,
    /// This offer is not what was wanted.
    NotThis,
}

#[cfg(target_os = "linux")]
impl Action {
    /// What the notification service calls it, and what the person reads.
    const fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Open => ("open", "Open"),
            Self::Snooze => ("snooze", "Snooze"),
            Self::NotThis => ("not-this", "Not this"),
        }
    }
}

/// How a message went out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// As a popup.
    Desktop,
    /// Into the log: no desktop, or switched off.
    Log,
}

/// The ways out.
#[derive(Debug)]
pub struct Notifier {
    desktop: bool,
    actions: mpsc::Sender<(String, Action)>,
}

impl Notifier {
    /// A notifier and the stream of what the person presses.
    #[must_use]
    pub fn new(desktop: bool) -> (Self, mpsc::Receiver<(String, Action)>) {
        let (actions, pressed) = mpsc::channel(16);
        (Self { desktop, actions }, pressed)
    }

    /// Delivers a message: as a popup where there is a notification service, else to the log,
    /// so that nothing is lost on a server.
    pub async fn deliver(&self, message: &Message) -> Delivery {
        #[cfg(target_os = "linux")]
        if self.desktop {
            match desktop::show(message, self.actions.clone()).await {
                Ok(()) => return Delivery::Desktop,
                Err(e) => tracing::debug!("no desktop notification: {e}"),
            }
        }
        #[cfg(not(target_os = "linux"))]
        let _ = (self.desktop, &self.actions);
        // The title holds what the shop says anyway. The reason may hold the person's limit,
        // which stays in the vault: `emptor alerts` shows it.
        tracing::warn!("alert: {}", message.title);
        Delivery::Log
    }
}

/// The name of the desktop's notification service, if one answers.
pub async fn desktop_service() -> Option<String> {
    #[cfg(target_os = "linux")]
    {
        desktop::service().await
    }
    #[cfg(not(target_os = "linux"))]
    {
        None
    }
}
