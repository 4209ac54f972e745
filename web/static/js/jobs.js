// Keeps the list of one's own jobs true while one of them runs; the rest of the page, and what is typed there, stays.
const PAUSE_MS = 1000;

const running = (section) => section.querySelectorAll("li[data-state=running]").length;

function renew(section, fresh) {
  for (const line of fresh.querySelectorAll("li")) {
    const old = section.querySelector(`#${CSS.escape(line.id)}`);
    if (!old) section.querySelector("ul").prepend(line);
    else if (old.dataset.state !== line.dataset.state) {
      section.querySelector("[role=status]").textContent = line.textContent.replace(/\s+/g, " ").trim();
      old.replaceWith(line);
    } else if (line.dataset.state === "running") {
      // Its button may have the focus: only what moves is renewed.
      for (const name of ["max", "value"]) {
        const value = line.querySelector("progress").getAttribute(name);
        if (value !== null) old.querySelector("progress").setAttribute(name, value);
      }
      old.querySelector("[data-what]").textContent = line.querySelector("[data-what]").textContent;
    }
  }
  section.hidden = !section.querySelector("li");
}

function follow(section) {
  section.addEventListener("submit", (event) => {
    event.preventDefault();
    event.target.querySelector("button").disabled = true;
    fetch(event.target.action, { method: "POST", body: new FormData(event.target) });
  });
  const look = async () => {
    try {
      const answer = await fetch(section.dataset.own);
      if (!answer.ok || answer.redirected) return;
      renew(section, new DOMParser().parseFromString(await answer.text(), "text/html"));
    } catch { /* The next look may find the server again. */ }
    if (running(section)) setTimeout(look, PAUSE_MS);
  };
  if (running(section)) setTimeout(look, PAUSE_MS);
}

document.querySelectorAll("[data-own]").forEach(follow);
