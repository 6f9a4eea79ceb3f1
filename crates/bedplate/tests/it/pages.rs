//! Pages of the console, as who signs in with a token sees them.

use crate::plain::{Answer, send};

/// The session of somebody who signed in by the form.
pub fn session(url: &str, token: &str) -> String {
    let login = send("GET", &format!("{url}/login"), &[], "");
    let key = login.body.split("name=\"key\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let form = [("Content-Type", "application/x-www-form-urlencoded"), ("Cookie", &cookie(&login))];
    cookie(&send("POST", &format!("{url}/login"), &form, &format!("token={token}&key={key}")))
}

pub fn page(url: &str, session: &str, path: &str) -> Answer {
    send("GET", &format!("{url}{path}"), &[("Cookie", session)], "")
}

fn cookie(answer: &Answer) -> String {
    let cookie = answer.head.lines().find_map(|line| line.strip_prefix("set-cookie: "));
    cookie.unwrap_or_else(|| panic!("{}", answer.head)).split(';').next().unwrap().to_owned()
}
