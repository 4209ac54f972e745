// Photos and videos: choosing, sending and showing them.

import { begin } from "gridmap/begin.js";
import { h } from "gridmap/dom.js";
import { gettext, time } from "gridmap/language.js";
import { Upload } from "gridmap/upload.js";

const STATES = {
  waiting: () => gettext("waiting"),
  sending: (upload) => `${Math.floor((100 * (upload.shown ?? 0)) / Math.max(upload.file.size, 1))}%`,
  checking: () => gettext("being checked"),
  offline: () => gettext("waiting for the connection"),
  done: () => gettext("sent"),
  refused: () => gettext("refused"),
};

const megabytes = (bytes) => `${(bytes / 2 ** 20).toFixed(1)} MB`;
const length = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.round(seconds % 60)).padStart(2, "0")}`;

// A choice of photos and videos that sends them at once and keeps them until `reset`, whatever becomes of the form
// around it. Options: stage, problem (uid: they are added to it at once), label, more (said of each), onchange.
export function uploader({ stage = "found", problem, label = gettext("Photos and videos"), more = {}, onchange } = {}) {
  const uploads = [];
  const list = h("ul", { className: "evidence-picks" });
  const status = h("p", { className: "evidence-said", role: "status" });
  const input = (attributes) => h("input", { type: "file", accept: "image/*,video/*", onchange: ({ target }) => { add([...target.files]); target.value = ""; }, ...attributes });
  const button = (text, field, className = "") => h("label", { className: `button evidence-button ${className}` }, field, text);
  const element = h("div", { className: "evidence-uploader", role: "group", "aria-label": label,
    ondragover: (event) => { if ([...event.dataTransfer.types].includes("Files")) { event.preventDefault(); element.classList.add("over"); } },
    ondragleave: () => element.classList.remove("over"),
    ondrop: (event) => { event.preventDefault(); element.classList.remove("over"); add([...event.dataTransfer.files]); },
    onpaste: (event) => { if (event.clipboardData.files.length) { event.preventDefault(); add([...event.clipboardData.files]); } },
  },
  h("p", { className: "evidence-label" }, label),
  list,
  h("div", { className: "evidence-buttons" },
    button(gettext("Take a photo"), input({ capture: "environment" }), "camera"),
    button(gettext("Choose photos or videos"), input({ multiple: true }))),
  status);

  const settle = async (upload) => {
    await upload.start();
    if (upload.state === "done") status.textContent = gettext("{name} is sent.", { name: upload.file.name });
    if (upload.state === "refused") status.textContent = upload.reason;
    onchange?.(api);
  };

  function add(files) {
    for (const file of files) {
      const upload = new Upload(file, { stage: typeof stage === "function" ? stage() : stage, problem, ...(typeof more === "function" ? more() : more) });
      uploads.push(upload);
      list.append(pick(upload));
      settle(upload);
    }
    onchange?.(api);
  }

  function pick(upload) {
    const { file } = upload;
    const url = URL.createObjectURL(file);
    const picture = file.type.startsWith("video/")
      ? h("video", { src: `${url}#t=0.5`, muted: true, playsInline: true, preload: "metadata", "aria-hidden": "true" })
      : h("img", { src: url, alt: "", onerror: ({ target }) => target.replaceWith(h("span", { className: "evidence-blank", "aria-hidden": "true" }, file.name.split(".").pop().slice(0, 5))) });
    const bar = h("progress", { max: Math.max(file.size, 1), value: 0, "aria-label": file.name });
    const state = h("span", { className: "evidence-state" });
    const retry = h("button", { type: "button", className: "quiet", hidden: true, onclick: () => settle(upload) }, gettext("Try again"));
    const remove = h("button", { type: "button", className: "evidence-remove", "aria-label": gettext("Leave out {name}", { name: file.name }), onclick: () => drop(upload, line, url) }, "×");
    const line = h("li", { className: "evidence-pick", title: `${file.name} · ${megabytes(file.size)}` }, picture, bar, state, retry, remove);
    const show = () => {
      line.dataset.state = upload.state;
      bar.value = upload.shown ?? upload.sent;
      bar.hidden = upload.settled;
      state.textContent = upload.state === "refused" ? upload.reason : STATES[upload.state]?.(upload) ?? "";
      retry.hidden = upload.state !== "refused";
      if (problem && upload.state === "done") remove.hidden = true;
    };
    upload.addEventListener("change", show);
    show();
    return line;
  }

  function drop(upload, line, url) {
    upload.end();
    uploads.splice(uploads.indexOf(upload), 1);
    const { nextElementSibling, previousElementSibling } = line;
    line.remove();
    URL.revokeObjectURL(url);
    ((nextElementSibling ?? previousElementSibling)?.querySelector(".evidence-remove") ?? element.querySelector("input")).focus();
    onchange?.(api);
  }

  const api = {
    element,
    add,
    // Uids of what has arrived.
    uids: () => uploads.filter(({ state }) => state === "done").map(({ uid }) => uid),
    get busy() { return uploads.some((upload) => !upload.settled); },
    get refused() { return uploads.filter(({ state }) => state === "refused"); },
    get count() { return uploads.length; },
    // Waits until everything has arrived or was refused; resolves to the uids.
    async settled() {
      while (api.busy) await Promise.all(uploads.filter((upload) => !upload.settled).map(({ result }) => result));
      return api.uids();
    },
    // Forgets what was sent, once it is tied to what it proves.
    reset() {
      for (const upload of uploads.splice(0)) if (!upload.settled) upload.end();
      list.replaceChildren();
      status.textContent = "";
    },
  };
  return api;
}

const BEFORE = ["found", "before"];

function doubt(one) {
  if (!one.doubts?.length) return null;
  const said = one.doubt_names.map((name, index) => {
    if (one.doubts[index] === "place") return gettext("{what} ({metres} m away)", { what: name, metres: one.metres_off });
    if (one.doubts[index] === "time") return gettext("{what} ({time})", { what: name, time: time(one.taken_at) });
    return name;
  });
  return said.join("；");
}

function thumbnail(one, name, open) {
  const words = doubt(one);
  return h("button", { type: "button", className: "evidence-thumb", "aria-label": [name, words].filter(Boolean).join("："), onclick: open },
    h("img", { src: one.thumbnail_url, alt: "", loading: "lazy", width: 120, height: 90 }),
    one.kind === "video" ? h("span", { className: "evidence-length", "aria-hidden": "true" }, `▶ ${length(one.duration ?? 0)}`) : null,
    words ? h("span", { className: "evidence-doubt", title: words, "aria-hidden": "true" }, "!") : null);
}

// The photos and videos of a problem as the API gives it: before and after side by side, the others below; null without any.
export function gallery(problem) {
  const all = (problem.attachments ?? []).filter(({ state }) => state === "ready");
  if (!all.length || begin.embedded) return null;
  const names = all.map((one, index) => `${one.stage_name} ${one.kind_name} ${all.slice(0, index + 1).filter(({ stage }) => stage === one.stage).length}`);
  const shelf = (title, chosen) => (chosen.length
    ? h("div", { className: "evidence-shelf" }, h("h4", {}, title, " ", h("span", { className: "muted" }, chosen.length)),
      h("div", { className: "evidence-thumbs" }, chosen.map((one) => thumbnail(one, names[all.indexOf(one)], () => lightbox(all, names, all.indexOf(one))))))
    : null);
  const before = all.filter(({ stage }) => BEFORE.includes(stage));
  const after = all.filter(({ stage }) => stage === "after");
  const others = [...new Set(all.map(({ stage }) => stage))].filter((stage) => ![...BEFORE, "after"].includes(stage));
  return h("div", { className: "evidence-gallery" },
    before.length || after.length ? h("div", { className: "evidence-pair" }, shelf(gettext("Before fixing"), before), shelf(gettext("After fixing"), after)) : null,
    others.map((stage) => shelf(all.find((one) => one.stage === stage).stage_name, all.filter((one) => one.stage === stage))));
}

function view(one, name) {
  return one.kind === "video"
    ? h("video", { src: one.url, controls: true, playsInline: true, preload: "metadata", poster: one.thumbnail_url, "aria-label": name })
    : h("img", { src: one.url, alt: name });
}

function lightbox(all, names, start) {
  let at = start;
  let together = false;
  const before = all.findIndex(({ stage, kind }) => BEFORE.includes(stage) && kind !== "video");
  const after = all.findLastIndex(({ stage, kind }) => stage === "after" && kind !== "video");
  const stage = h("div", { className: "lightbox-stage" });
  const caption = h("p", { className: "lightbox-caption", role: "status" });
  const save = h("a", { className: "button", download: "" }, gettext("Original"));
  const step = (by) => { together = false; at = (at + by + all.length) % all.length; show(); };
  const compare = h("button", { type: "button", "aria-pressed": "false", hidden: before < 0 || after < 0, onclick: () => { together = !together; show(); } }, gettext("Before and after"));
  const previous = h("button", { type: "button", className: "lightbox-step", "aria-label": gettext("Previous"), hidden: all.length < 2, onclick: () => step(-1) }, "‹");
  const following = h("button", { type: "button", className: "lightbox-step", "aria-label": gettext("Next"), hidden: all.length < 2, onclick: () => step(1) }, "›");
  const dialog = h("dialog", { className: "lightbox", "aria-label": gettext("Photos and videos"),
    onclose: () => dialog.remove(),
    onclick: ({ target }) => { if (target === dialog) dialog.close(); },
    onkeydown: (event) => {
      event.stopPropagation();
      if (event.target.tagName === "VIDEO") return;
      if (event.key === "ArrowRight") step(1);
      if (event.key === "ArrowLeft") step(-1);
    } },
  h("header", {}, caption, compare, save, h("button", { type: "button", "aria-label": gettext("Close"), onclick: () => dialog.close() }, "×")),
  h("div", { className: "lightbox-row" }, previous, stage, following));

  function show() {
    const one = all[at];
    compare.setAttribute("aria-pressed", String(together));
    if (together) {
      stage.replaceChildren(...[before, after].map((index) => h("figure", {}, view(all[index], names[index]), h("figcaption", {}, names[index], " · ", time(all[index].taken_at ?? all[index].sent_at)))));
      caption.textContent = gettext("Before and after");
    } else {
      stage.replaceChildren(view(one, names[at]));
      const words = doubt(one);
      caption.replaceChildren(h("b", {}, names[at]), ` ${at + 1}/${all.length} · `,
        one.taken_at ? gettext("taken {time}", { time: time(one.taken_at) }) : gettext("the camera gives no time"), " · ",
        gettext("sent {time} by {name}", { time: time(one.sent_at), name: one.by }), words ? h("span", { className: "badge bad" }, words) : "");
    }
    stage.classList.toggle("together", together);
    save.hidden = together || !one.original_url;
    if (one.original_url) save.href = one.original_url;
  }

  show();
  document.body.append(dialog);
  dialog.showModal();
  (all.length > 1 ? following : dialog.querySelector("header button:last-child")).focus();
}

// Photos that come after a problem was recorded; each is a line of its history.
function moreEvidence(problem, refresh) {
  if (!begin.may.attach || begin.embedded) return null;
  const stages = { before: gettext("before fixing"), after: gettext("after fixing"), look_back: gettext("looked at again"), other: gettext("other evidence") };
  const fixing = ["fixed", "verified", "closed"].includes(problem.state);
  const stage = h("select", { "aria-label": gettext("What they show") }, Object.entries(stages).map(([value, name]) => h("option", { value, selected: value === (fixing ? "after" : "before") }, name)));
  const picks = uploader({
    stage: () => stage.value, problem: problem.uid, label: gettext("Photos and videos"),
    onchange: ({ busy, count, refused }) => { if (count && !busy && !refused.length) refresh(); },
  });
  return h("details", { className: "evidence-add" }, h("summary", {}, gettext("Add photos or videos")), stage, picks.element);
}

// A problem's photos and videos, and a place to add more; null where there is neither.
export function evidenceOf(problem, refresh, heading = "h3") {
  const shown = gallery(problem);
  const more = moreEvidence(problem, refresh);
  return shown || more ? h("section", {}, shown ? h(heading, {}, gettext("Photos and videos")) : null, shown, more) : null;
}
