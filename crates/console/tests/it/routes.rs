//! Routes, by their URL.

use axum::body::Body;
use axum::http::{Request, Response, StatusCode};
use bedplate_console::router;
use http_body_util::BodyExt;
use tower::ServiceExt;

use crate::fake::{NOW, state};

async fn send(app: &axum::Router, request: Request<Body>) -> (Response<()>, String) {
    let (head, body) = app.clone().oneshot(request).await.unwrap().into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    (Response::from_parts(head, ()), String::from_utf8(body.to_vec()).unwrap())
}

async fn get(app: &axum::Router, path: &str, cookie: &str) -> (Response<()>, String) {
    send(app, Request::get(path).header("cookie", cookie).body(Body::empty()).unwrap()).await
}

async fn post(app: &axum::Router, path: &str, body: &str, site: &str, cookie: &str) -> (Response<()>, String) {
    let request = Request::post(path).header("sec-fetch-site", site).header("cookie", cookie);
    send(app, request.body(Body::from(body.to_owned())).unwrap()).await
}

fn cookie_of(answer: &Response<()>) -> String {
    answer.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned()
}

/// The cookie of somebody who looks at the form, and what the form carries.
async fn visit(app: &axum::Router) -> (String, String) {
    let (answer, body) = get(app, "/login", "").await;
    (cookie_of(&answer), key_in(&body))
}

fn key_in(body: &str) -> String {
    let (_, rest) = body.split_once(r#"name="key" value=""#).unwrap_or_else(|| panic!("no key in {body}"));
    rest.split('"').next().unwrap().to_owned()
}

const VIEW: &str = "/ns/flights/featureviews/origin-weather";

async fn signed_in(app: &axum::Router, token: &str) -> String {
    let (visit, key) = visit(app).await;
    let (answer, _) = post(app, "/login", &format!("token={token}&key={key}"), "same-origin", &visit).await;
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
    cookie_of(&answer)
}

#[tokio::test]
async fn nothing_is_shown_without_a_session() {
    let app = router(state());
    for path in ["/", "/ns/flights", "/catalogue", "/catalogue?q=weather", "/ns/flights/datasets/weather", VIEW] {
        for cookie in ["", "bedplate_session=made-up"] {
            let (answer, body) = get(&app, path, cookie).await;
            assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{path}");
            assert!(body.contains("Sign in") && !body.contains("336,776") && !body.contains("26,114"), "{path}");
        }
    }
}

#[tokio::test]
async fn get_overview() {
    let app = router(state());
    let cookie = signed_in(&app, "bp_right").await;
    let (answer, body) = get(&app, "/", &cookie).await;
    assert_eq!(answer.status(), StatusCode::OK);
    for said in ["367,687 rows", "AUC 0.758", "1,214 entries", "0.009852 EUR", "train-leaky", "exit 9", "replay-0042/0"]
    {
        assert!(body.contains(said), "{said}");
    }
    let policy = answer.headers()["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("default-src 'self'") && !policy.contains("unsafe"), "{policy}");
    assert!(!body.contains("style=") && !body.contains("onclick") && !body.contains("<script>"), "nothing inline");
    assert!(!body.contains("https://"), "nothing from elsewhere");
}

#[tokio::test]
async fn get_ns_namespace() {
    let app = router(state());
    let cookie = signed_in(&app, "bp_right").await;
    let (answer, body) = get(&app, "/ns/flights", &cookie).await;
    assert_eq!(answer.status(), StatusCode::OK);
    for said in ["1048.36", "2 of 6 features moved", "by month: 2013-01 24.0 %", "dep_delay alone", "refused"] {
        assert!(body.contains(said), "{said}");
    }
    assert_eq!(body.matches("<table").count(), body.matches("<caption").count(), "every table has a caption");
}

#[tokio::test]
async fn get_catalogue() {
    let app = router(state());
    let cookie = signed_in(&app, "bp_right").await;
    let (answer, body) = get(&app, "/catalogue?q=wind%20%3Cgust&kind=column", &cookie).await;
    assert_eq!(answer.status(), StatusCode::OK);
    for said in [
        "18 found, the first 6 shown",
        "/ns/flights/datasets/weather\"",
        &format!("{VIEW}\""),
        "/ns/flights#objects",
        "pii:email",
    ] {
        assert!(body.contains(said), "{said}: {body}");
    }
    // The form says again what was asked, and whatever that is it stays text.
    assert!(body.contains(r#"value="wind &lt;gust""#) && body.contains(r#"value="column" selected"#), "{body}");
    assert_eq!(body.matches("<table").count(), body.matches("<caption").count(), "every table has a caption");
    assert!(body.contains(r#"role="search""#) && body.contains(r#"<label for="q">"#), "{body}");
    assert!(!body.contains("style=") && !body.contains("onclick"), "nothing inline");
    let (_, nothing) = get(&app, "/catalogue?q=nothing", &cookie).await;
    assert!(nothing.contains("Nothing that you may see matches"), "{nothing}");
    let (strange, _) = get(&app, "/catalogue?q=%FF&q=a&limit=x", &cookie).await;
    assert_eq!(strange.status(), StatusCode::OK);
}

#[tokio::test]
async fn get_ns_datasets_name() {
    let app = router(state());
    let cookie = signed_in(&app, "bp_right").await;
    let (answer, body) = get(&app, "/ns/flights/datasets/weather", &cookie).await;
    assert_eq!(answer.status(), StatusCode::OK);
    for said in [
        "26,114",
        "Values of temp from -11.7 to 38.3, median 12.8",
        "not yours to read",
        "no values",
        "~8,706",
        "79.6 %",
        "Looks like e-mail",
        "EWR",
        "refused",
        "5 of 6",
        "bedplate trace table:flights/weather@3",
    ] {
        assert!(body.contains(said), "{said}: {body}");
    }
    assert_eq!(body.matches("<table").count(), body.matches("<caption").count(), "every table has a caption");
    assert_eq!(
        body.matches("<svg").count(),
        body.matches("aria-hidden").count() + body.matches("aria-label=\"Values").count()
    );
    assert!(!body.contains("style="), "nothing inline");
}

#[tokio::test]
async fn get_ns_featureviews_name() {
    let app = router(state());
    let cookie = signed_in(&app, "bp_right").await;
    let (answer, body) = get(&app, VIEW, &cookie).await;
    assert_eq!(answer.status(), StatusCode::OK);
    for said in [
        "26,114",
        "Figures are of 10,000 of 412,377 rows",
        "greatest wind_gust over 3h",
        "Values of temp from -11.7 to 38.3, median 12.8",
        "no values",
        "79.6 %",
        "2 of 1200 values of 400 entities differ",
        "href=\"/ns/flights/datasets/weather\"",
        "Endpoint late",
        "bedplate features verify origin-weather -n flights",
        "bedplate features stats origin-weather -n flights",
    ] {
        assert!(body.contains(said), "{said}: {body}");
    }
    assert_eq!(body.matches("<table").count(), body.matches("<caption").count(), "every table has a caption");
    assert!(!body.contains("style="), "nothing inline");
}

#[tokio::test]
async fn what_is_not_there_and_what_may_not_be_seen_look_the_same() {
    let app = router(state());
    let admin = signed_in(&app, "bp_right").await;
    let stranger = signed_in(&app, "bp_stranger").await;
    for (path, cookie) in [("/ns/none", &admin), ("/ns/flights", &stranger)] {
        let (answer, body) = get(&app, path, cookie).await;
        assert_eq!(answer.status(), StatusCode::NOT_FOUND);
        assert!(body.contains("it is not there") && body.contains("bedplate get namespaces"));
    }
    for (path, cookie) in [
        ("/ns/flights/datasets/none", &admin),
        ("/ns/flights/datasets/weather", &stranger),
        ("/ns/flights/featureviews/none", &admin),
        (VIEW, &stranger),
    ] {
        let (answer, body) = get(&app, path, cookie).await;
        assert_eq!(answer.status(), StatusCode::NOT_FOUND);
        assert!(body.contains("or you may not see it") && !body.contains("26,114"));
    }
    let (answer, body) = get(&app, "/catalogue?q=weather", &stranger).await;
    assert_eq!(answer.status(), StatusCode::OK);
    assert!(body.contains("Nothing found") && !body.contains("meteorology"), "{body}");
    let (_, escaped) = get(&app, "/ns/%3Cscript%3Ex", &admin).await;
    assert!(!escaped.contains("<script>x") && escaped.contains("&lt;script&gt;x"), "{escaped}");
}

#[tokio::test]
async fn post_login() {
    let app = router(state());
    let (visit, key) = visit(&app).await;
    let (wrong, body) = post(&app, "/login", &format!("token=bp_wrong&key={key}"), "same-origin", &visit).await;
    assert_eq!(wrong.status(), StatusCode::UNAUTHORIZED);
    assert!(body.contains("the token is not known here") && !cookie_of(&wrong).contains("session"));
    let form = format!("token=bp_right&key={key}");
    let (right, _) = post(&app, "/login", &form, "same-origin", &visit).await;
    let cookie = right.headers()["set-cookie"].to_str().unwrap();
    assert!(
        cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict") && !cookie.contains("bp_right"),
        "{cookie}"
    );
    assert!(!cookie.contains("Secure"), "over plain http it would not come back");
    let secure = router(bedplate_console::ConsoleState { secure: true, ..state() });
    let (page, _) = get(&secure, "/login", "").await;
    assert!(page.headers()["set-cookie"].to_str().unwrap().ends_with("; Secure"));
}

#[tokio::test]
async fn forms_from_elsewhere_do_nothing() {
    let app = router(state());
    let (visit, key) = visit(&app).await;
    let good = format!("token=bp_right&key={key}");
    let forged = [
        (good.as_str(), "cross-site", visit.as_str()),
        (good.as_str(), "same-origin", ""),
        (good.as_str(), "same-origin", "bedplate_visit=another"),
        ("token=bp_right", "same-origin", &visit),
        ("token=bp_right&key=", "same-origin", &visit),
    ];
    for (form, site, cookie) in forged {
        let (answer, _) = post(&app, "/login", form, site, cookie).await;
        assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{form} {site} {cookie}");
    }
}

#[tokio::test]
async fn signing_in_gives_a_new_session_and_ends_the_old_one() {
    let app = router(state());
    let old = signed_in(&app, "bp_right").await;
    let (visit, key) = visit(&app).await;
    let both = format!("{old}; {visit}");
    let (answer, _) = post(&app, "/login", &format!("token=bp_right&key={key}"), "same-origin", &both).await;
    let new = cookie_of(&answer);
    assert_ne!(old, new);
    assert_eq!(get(&app, "/", &old).await.0.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(get(&app, "/", &new).await.0.status(), StatusCode::OK);
}

#[tokio::test]
async fn post_logout() {
    let app = router(state());
    let cookie = signed_in(&app, "bp_right").await;
    let key = key_in(&get(&app, "/", &cookie).await.1);
    for (form, site) in [(format!("key={key}"), "cross-site"), (String::new(), "same-origin")] {
        let (foreign, _) = post(&app, "/logout", &form, site, &cookie).await;
        assert_eq!(foreign.status(), StatusCode::FORBIDDEN);
    }
    assert_eq!(get(&app, "/", &cookie).await.0.status(), StatusCode::OK);
    post(&app, "/logout", &format!("key={key}"), "same-origin", &cookie).await;
    assert_eq!(get(&app, "/", &cookie).await.0.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn get_login_oidc_and_callback() {
    let app = router(state());
    let begin = |host: &'static str| Request::get("/login/oidc").header("host", host).body(Body::empty()).unwrap();
    let (sent, _) = send(&app, begin("console.example:7070")).await;
    assert_eq!(sent.status(), StatusCode::SEE_OTHER);
    let location = sent.headers()["location"].to_str().unwrap().to_owned();
    assert!(location.ends_with("redirect_uri=http://console.example:7070/login/callback"), "{location}");
    let cookie = cookie_of(&sent);
    assert!(sent.headers()["set-cookie"].to_str().unwrap().contains("SameSite=Lax"));
    let state = cookie.split_once('=').unwrap().1.to_owned();
    let back = format!("/login/callback?code=right&state={state}");
    let (other, _) = get(&app, &back, "bedplate_sign_in=another").await;
    assert_eq!(other.status(), StatusCode::UNAUTHORIZED, "a browser that did not begin it");
    let (answer, _) = get(&app, &back, &cookie).await;
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(get(&app, "/", &cookie_of(&answer)).await.0.status(), StatusCode::OK);
    assert_eq!(get(&app, &back, &cookie).await.0.status(), StatusCode::UNAUTHORIZED, "it counts once");

    let (sent, _) = send(&app, begin("h")).await;
    let cookie = cookie_of(&sent);
    let state = cookie.split_once('=').unwrap().1.to_owned();
    let (refused, body) = get(&app, &format!("/login/callback?error=access_denied&state={state}"), &cookie).await;
    assert!(refused.status() == StatusCode::UNAUTHORIZED && body.contains("access_denied"), "{body}");
    assert_eq!(send(&app, begin("evil\"host")).await.0.status(), StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn get_login_code() {
    let state = state();
    let code = state.sessions.issue_code(bedplate_identity::Principal::new("user:admin"), NOW, [9; 32]);
    let app = router(state);
    let (answer, body) = get(&app, &format!("/login?code={code}"), "").await;
    assert!(body.contains(r#"content="0; url=/""#), "{body}");
    assert_eq!(get(&app, "/", &cookie_of(&answer)).await.0.status(), StatusCode::OK);
    let (again, body) = get(&app, &format!("/login?code={code}"), "").await;
    assert_eq!(again.status(), StatusCode::UNAUTHORIZED);
    assert!(body.contains("used before"));
}

#[tokio::test]
async fn a_page_that_did_not_change_is_not_sent_again() {
    let app = router(state());
    let cookie = signed_in(&app, "bp_right").await;
    let (first, _) = get(&app, "/ns/flights", &cookie).await;
    let request =
        Request::get("/ns/flights").header("cookie", &cookie).header("if-none-match", &first.headers()["etag"]);
    let (second, body) = send(&app, request.body(Body::empty()).unwrap()).await;
    assert_eq!((second.status(), body.as_str()), (StatusCode::NOT_MODIFIED, ""));
}

#[tokio::test]
async fn get_assets() {
    let app = router(state());
    for (path, media_type) in
        [("console.css", "text/css"), ("live.js", "text/javascript"), ("mark.svg", "image/svg+xml")]
    {
        let (answer, body) = get(&app, &format!("/assets/{path}"), "").await;
        assert!(answer.headers()["content-type"].to_str().unwrap().starts_with(media_type), "{path}");
        assert!(!body.is_empty() && !body.contains("@import") && !body.contains("url(http"), "{path}");
    }
}
