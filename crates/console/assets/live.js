// Keeps the page in front of you true: asks for the same page again, and swaps the parts that changed.
// Without this script everything is there too; it just stands still until it is loaded again.
(() => {
  const USUAL = 2000, LONGEST = 30000;
  const light = document.getElementById("live");
  let tag = "", pause = USUAL;

  const say = (state, text) => {
    if (light.dataset.state === state) return;
    light.dataset.state = state;
    light.textContent = text;
  };

  // A part in which somebody is selecting text is left alone until the next time.
  const selecting = (part) => {
    const selection = getSelection();
    return selection && !selection.isCollapsed && part.contains(selection.anchorNode);
  };

  const swap = (part, fresh) => {
    const focused = part.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
    const scrolled = part.querySelector(".scroll")?.scrollLeft ?? 0;
    const open = [...part.querySelectorAll("details")].map((one) => one.open);
    part.replaceWith(fresh);
    fresh.querySelectorAll("details").forEach((one, i) => { one.open = open[i] ?? false; });
    const scroller = fresh.querySelector(".scroll");
    if (scroller) scroller.scrollLeft = scrolled;
    if (focused) fresh.querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
  };

  const names = (root) => [...root.querySelectorAll("[data-part]")].map((part) => part.dataset.part).join();

  const take = (text) => {
    const main = document.getElementById("main");
    const fresh = new DOMParser().parseFromString(text, "text/html").getElementById("main");
    if (names(main) !== names(fresh)) {
      main.replaceChildren(...fresh.childNodes);
      return;
    }
    for (const part of main.querySelectorAll("[data-part]")) {
      const other = fresh.querySelector(`[data-part="${CSS.escape(part.dataset.part)}"]`);
      if (part.innerHTML !== other.innerHTML && !selecting(part)) swap(part, other);
    }
  };

  const look = async () => {
    const answer = await fetch(location.pathname + location.search, { headers: tag ? { "If-None-Match": tag } : {}, cache: "no-store" });
    if (answer.status === 401) return location.reload();
    if (answer.status === 304) return;
    if (!answer.ok) throw new Error(String(answer.status));
    take(await answer.text());
    tag = answer.headers.get("ETag") ?? "";
  };

  const round = async () => {
    if (!document.hidden) {
      try {
        await look();
        pause = USUAL;
        say("on", "Live");
      } catch {
        pause = Math.min(pause * 2, LONGEST);
        say("lost", "Not connected");
      }
    }
    setTimeout(round, pause);
  };

  document.addEventListener("visibilitychange", () => { pause = USUAL; });
  setTimeout(round, USUAL);
})();
