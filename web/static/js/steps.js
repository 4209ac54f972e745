// Taking a step: which ones there are, what each needs, and taking it back.

import { ApiError, ask, get, post } from "gridmap/api.js";
import { begin } from "gridmap/begin.js";
import { byId, h } from "gridmap/dom.js";
import { uploader } from "gridmap/evidence.js";
import { gettext, number } from "gridmap/language.js";
import { toast } from "gridmap/toast.js";

const UNDO_SECONDS = 20;
const GIVES = new Set(["dispatch", "redispatch"]);
const DANGEROUS = new Set(["reject", "merge", "send_back", "return", "decline", "reopen"]);

// Steps on one problem that a photo proves, and what it then shows.
const PROOF = { fix: "after", verify: "after", close: "after", send_back: "after", look_back: "look_back", reopen: "look_back" };

function field(label, control, hint) {
  return h("label", {}, label, control, hint ? h("small", { className: "muted" }, hint) : null);
}

// The organisations that a problem can be given to, read once.
let organisations;
const bodies = () => (organisations ??= get("organisations", "filters").then((options) => options?.organisations ?? []));

const anybody = () => h("option", { value: "" }, gettext("nobody in particular"));

// The people of an organisation, as far as the reader may know them.
async function offerPersons(organisation, select) {
  select.disabled = true;
  select.replaceChildren(anybody());
  if (!organisation) return;
  const found = await get("persons", "persons", { organisation });
  if (!found) return;
  select.append(...found.persons.map(({ uid, name }) => h("option", { value: uid }, name)));
  select.disabled = !found.persons.length;
}

async function fieldsOf({ action, needs }, unit) {
  const fields = {};
  const note = h("textarea", { name: "note", rows: 3, maxLength: 2000, required: needs.includes("reason") });
  fields.note = field(needs.includes("reason") ? gettext("Reason") : gettext("Remark (optional)"), note);
  if (needs.includes("until")) fields.until = field(gettext("Until"), h("input", { type: "datetime-local", name: "until", required: true }));
  if (needs.includes("time")) fields.more = field(gettext("How much more time"), h("input", { type: "number", name: "more", min: 1, max: 365, required: true, inputMode: "numeric" }), unit ? unit : gettext("in the unit of each one's own limit"));
  if (needs.includes("other")) fields.other = field(gettext("Number of the problem that is kept"), h("input", { type: "number", name: "other", min: 1, required: true, inputMode: "numeric" }));
  if (GIVES.has(action)) {
    const person = h("select", { name: "person", disabled: true }, anybody());
    const select = h("select", { name: "organisation", onchange: () => offerPersons(select.value, person) }, h("option", { value: "" }, gettext("as rules and responsibilities say")), (await bodies()).map(({ uid, name }) => h("option", { value: uid }, name)));
    fields.organisation = field(gettext("To which organisation"), select);
    fields.person = field(gettext("To whom there (optional)"), person);
  }
  return fields;
}

async function readForm(form) {
  const given = Object.fromEntries([...new FormData(form)].filter(([, value]) => value !== ""));
  if (given.more) given.more = Number(given.more);
  if (given.other) {
    const kept = await ask(`problems/by-number/${given.other}`);
    given.other = kept.uid;
  }
  return given;
}

// Ask what a step needs in a dialog; `extra` stands above the fields. `run` takes the step: what it throws is
// shown, and where it returns false the dialog stays open. `fill` are values that stand in the fields at first.
export async function askStep(step, { unit, extra, confirm, alone = false, fill = {}, run }) {
  const dialog = byId("step");
  const photos = alone && begin.may.attach && PROOF[step.action] ? uploader({ stage: PROOF[step.action], label: gettext("Photos that prove it") }) : null;
  const fields = await fieldsOf(step, unit);
  const fault = h("p", { className: "alert", role: "alert", hidden: true });
  const send = h("button", { className: DANGEROUS.has(step.action) ? "danger" : "primary" }, confirm ?? step.name);
  const form = h("form", { method: "dialog", className: "stack", onsubmit: async (event) => {
    event.preventDefault();
    send.disabled = true;
    fault.hidden = true;
    try {
      const attachments = await photos?.settled() ?? [];
      if (photos?.refused.length) throw new Error(photos.refused[0].reason);
      const done = await run({ action: step.action, ...(await readForm(form)), ...(attachments.length ? { attachments } : {}) });
      if (done !== false) dialog.close();
    } catch (error) {
      fault.textContent = error.message;
      fault.hidden = false;
      if (error instanceof ApiError && error.changes?.length) {
        fault.append(h("ul", {}, error.changes.map(({ action_name, kind_name, by, note }) => h("li", {}, [action_name ?? kind_name, by, note].filter(Boolean).join(" · ")))));
      }
    } finally {
      send.disabled = false;
    }
  } },
    h("h2", { id: "step-title" }, step.name), extra ?? null, Object.values(fields), photos?.element ?? null, fault,
    h("div", { className: "row" }, send, h("button", { type: "button", onclick: () => dialog.close() }, gettext("Cancel"))));
  for (const [name, value] of Object.entries(fill)) if (form.elements[name]) form.elements[name].value = value;
  dialog.replaceChildren(form);
  dialog.showModal();
  form.querySelector("textarea, input, select")?.focus();
}

async function takeBack(batch) {
  const { undone, moved_on: movedOn } = await post(`batches/${batch}/undo`, {});
  toast(movedOn.length
    ? gettext("Taken back on {n} problems; {m} have moved on since.", { n: number(undone), m: number(movedOn.length) })
    : gettext("Taken back on {n} problems.", { n: number(undone) }), { kind: "good" });
}

export function offerUndo(text, batch, refresh) {
  toast(text, { kind: "good", seconds: UNDO_SECONDS, action: { name: gettext("Take back"), run: async () => {
    try {
      await takeBack(batch);
    } catch (error) {
      toast(error.message, { kind: "error" });
    }
    refresh();
  } } });
}

// Says first on how many problems a step would be taken back, then takes it back there.
export async function askUndo({ batch, action_name: name }, refresh) {
  const dialog = byId("step");
  const fault = h("p", { className: "alert", role: "alert", hidden: true });
  const say = (error) => { fault.textContent = error.message; fault.hidden = false; };
  const send = h("button", { className: "danger", disabled: true }, gettext("Take back"));
  const told = h("p", { className: "note" }, gettext("Loading"));
  dialog.replaceChildren(h("form", { method: "dialog", className: "stack", onsubmit: async (event) => {
    event.preventDefault();
    send.disabled = true;
    try {
      await takeBack(batch);
      dialog.close();
      refresh();
    } catch (error) {
      say(error);
    }
  } },
    h("h2", { id: "step-title" }, gettext("Take back: {step}", { step: name })), told, fault,
    h("div", { className: "row" }, send, h("button", { type: "button", onclick: () => dialog.close() }, gettext("Cancel")))));
  dialog.showModal();
  try {
    const { undone, moved_on: movedOn } = await ask(`batches/${batch}/undo`);
    told.textContent = [
      undone === 1 ? gettext("1 problem goes back to where it stood before this step.") : gettext("This step was taken on several at once: {n} problems go back to where they stood before it.", { n: number(undone) }),
      movedOn.length ? gettext("What has moved on since stays as it is: {numbers}", { numbers: movedOn.map((one) => gettext("No. {number}", { number: one })).join(gettext(", ")) }) : "",
    ].filter(Boolean).join(" ");
    send.disabled = undone === 0;
  } catch (error) {
    told.hidden = true;
    say(error);
  }
}

// Asks for a step on one problem and takes it, where it still stands as it was shown.
export function takeStep(problem, step, refresh, { fill, extra } = {}) {
  return askStep(step, { unit: problem.time_unit_name, alone: true, fill, extra, run: async (body) => {
    const { batch, problem: now } = await post(`problems/${problem.uid}/steps`, body, { "If-Match": `"${problem.version}"` });
    offerUndo(gettext("No. {number}: {step}.", { number: problem.number, step: step.name }), batch, refresh);
    refresh(now);
  } });
}

// The buttons of one problem's next steps.
export function stepButtons(problem, refresh) {
  if (!problem.steps?.length) return h("p", { className: "muted" }, gettext("There is no step for you to take here."));
  return h("div", { className: "step-buttons" }, problem.steps.map((step) => h("button", {
    type: "button", className: DANGEROUS.has(step.action) ? "" : "primary", disabled: Boolean(step.refusal), title: step.refusal ?? "", onclick: () => takeStep(problem, step, refresh, { extra: step.action === "close" && problem.after_photo_lacking ? h("p", { className: "note" }, gettext("This category is closed with a photo taken after fixing: add it here.")) : null }),
  }, step.name)), problem.steps.filter(({ refusal }) => refusal).map(({ name, refusal }) => h("p", { className: "muted refusal" }, `${name}：${refusal}`)));
}

// A step on many: first what would happen, then the step.
export async function takeMany(step, which, count, refresh) {
  const preview = h("div", { className: "note" }, gettext("{n} problems are chosen.", { n: number(count) }));
  let seen;
  const button = () => byId("step").querySelector("form button");
  const tell = ({ taken, refused }) => preview.replaceChildren(...[
    h("p", {}, gettext("The step can be taken on {n} of {all} problems.", { n: number(taken), all: number(count) })),
    refused.length ? h("ul", {}, refused.map(({ reason, count: n, numbers }) => h("li", {}, gettext("{n}: {reason}", { n: number(n), reason }), h("small", { className: "muted" }, ` ${numbers.slice(0, 8).join(gettext(", "))}${n > 8 ? " …" : ""}`)))) : null].filter(Boolean));
  await askStep(step, { extra: preview, confirm: gettext("Show what would happen"), run: async (body) => {
    const wanted = { step: body, ...which };
    if (seen === undefined) {
      const said = await post("problems/steps", { ...wanted, preview: true });
      tell(said);
      if (!said.taken) throw new Error(gettext("The step can be taken on none of them."));
      ({ seen } = said);
      button().textContent = gettext("{step} on {n} problems", { step: step.name, n: number(said.taken) });
      return false;
    }
    let done;
    try {
      done = await post("problems/steps", { ...wanted, seen });
    } catch (error) {
      // What has changed meanwhile is shown again before anything is done.
      if (error.status === 409) {
        seen = undefined;
        button().textContent = gettext("Show what would happen");
      }
      throw error;
    }
    offerUndo(gettext("{step}: {n} problems.", { step: step.name, n: number(done.taken) }), done.batch, refresh);
    refresh();
    return true;
  } });
}

export const actions = begin.actions ?? [];
