//! Pages of the console, as who signs in with a token sees them.

use crate::plain::{Answer, send};

/// The session of somebody who signed in by the form.
pub fn session(url: &str, token: &str) -> String {
    let login = send("GET", &format!("{url}/login"), &[], "");
    let (key, visit) = (form_key(&login.body).expect("a form"), cookie(&login.head).expect("the visit's cookie"));
    let form = [("Content-Type", "application/x-www-form-urlencoded"), ("Cookie", &visit)];
    let signed_in = send("POST", &format!("{url}/login"), &form, &format!("token={token}&key={key}"));
    cookie(&signed_in.head).unwrap_or_else(|| panic!("{}", signed_in.body))
}

pub fn page(url: &str, session: &str, path: &str) -> Answer {
    send("GET", &format!("{url}{path}"), &[("Cookie", session)], "")
}

/// Another one in every page.
pub fn form_key(page: &str) -> Option<&str> {
    page.split("name=\"key\" value=\"").nth(1)?.split('"').next()
}

/// The cookie that the head of an answer sets.
pub fn cookie(head: &str) -> Option<String> {
    let cookie = head.lines().find_map(|line| line.strip_prefix("set-cookie: "))?;
    cookie.split(';').next().map(str::to_owned)
}
