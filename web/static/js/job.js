// Follows a job and shows the page again when it has ended.
const box = document.querySelector("[data-job]");
if (box) {
  const bar = box.querySelector("progress");
  const what = box.querySelector("[data-what]");
  const stop = box.querySelector("button[data-stop]");
  stop?.addEventListener("click", () => {
    stop.disabled = true;
    fetch(`/jobs/${box.dataset.job}/stop`, { method: "POST", headers: { "X-CSRFToken": box.dataset.token } });
  });
  const look = async () => {
    const answer = await fetch(`/jobs/${box.dataset.job}`, { headers: { Accept: "application/json" } });
    const job = await answer.json();
    if (!answer.ok || job.state !== "running") { location.reload(); return; }
    if (job.total > 0) { bar.max = job.total; bar.value = job.done; } else { bar.removeAttribute("value"); }
    what.textContent = job.what;
    setTimeout(look, 400);
  };
  look();
}
for (const form of document.querySelectorAll("form[data-ask]")) {
  form.addEventListener("submit", (event) => { if (!confirm(form.dataset.ask)) event.preventDefault(); });
}
