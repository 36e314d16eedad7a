// Asking before something is done, doing it, and saying what came of it.

import { Failed, Field, html, useEffect, useRef, useState, useStore } from "./parts.js";
import { Store } from "./server.js";

/// The question that is being asked, or null.
const question = new Store(null);
const notices = new Store([]);
let noticed = 0;

export function notice(text) {
  const id = ++noticed;
  notices.set([...notices.value, { id, text }]);
  setTimeout(() => notices.set(notices.value.filter((one) => one.id !== id)), 6000);
}

/// Shows a form over the page. `run(values, progress)` does it and answers what to say then; where it
/// throws, the form says why and stays. `fields`: [{name, label, value, hint, type, options, required}].
export function ask({ title, text, verb, leave = "Leave it", danger, fields = [], wide, run, done }) {
  question.set({ title, text, verb, leave, danger, fields, wide, run, done });
}

function Input({ field, value, set }) {
  const its = { name: field.name, value, required: field.required, onInput: (event) => set(event.target.value) };
  if (field.options)
    return html`<select ...${its}>${field.options.map(
      (option) => html`<option value=${option}
      selected=${option === value}>${option}</option>`,
    )}</select>`;
  if (field.type === "textarea") return html`<textarea rows="12" spellcheck="false" ...${its}></textarea>`;
  return html`<input type=${field.type ?? "text"} step=${field.type === "datetime-local" ? "1" : undefined}
    placeholder=${field.placeholder} autocomplete="off" spellcheck="false" ...${its} />`;
}

function Question({ its }) {
  const dialog = useRef(null);
  const [values, setValues] = useState(() =>
    Object.fromEntries(its.fields.map((field) => [field.name, field.value ?? ""])),
  );
  const [busy, setBusy] = useState(false);
  const [progress, setProgress] = useState("");
  const [error, setError] = useState(null);
  useEffect(() => {
    dialog.current.querySelector("textarea")?.setSelectionRange(0, 0);
    dialog.current.showModal();
    return () => dialog.current?.close();
  }, []);
  const close = () => !busy && question.set(null);
  const submit = async (event) => {
    event.preventDefault();
    setBusy(true);
    setError(null);
    try {
      const said = await its.run(values, setProgress);
      question.set(null);
      if (said) notice(said);
      its.done?.();
    } catch (problem) {
      setError(problem);
      setBusy(false);
    }
  };
  const fieldOf = (problem) => its.fields.find((field) => field.name === problem?.field)?.name;
  return html`<dialog ref=${dialog} class=${its.wide ? "wide" : ""} aria-labelledby="question"
    onCancel=${(event) => {
      event.preventDefault();
      close();
    }}>
    <form onSubmit=${submit}>
      <h2 id="question">${its.title}</h2>
      ${its.text && html`<div class="text">${its.text}</div>`}
      ${its.fields.map(
        (field) => html`<${Field} key=${field.name} label=${field.label} hint=${field.hint}
        error=${fieldOf(error) === field.name ? error.message : null}>
        <${Input} field=${field} value=${values[field.name]}
          set=${(value) => setValues((old) => ({ ...old, [field.name]: value }))} /><//>`,
      )}
      ${error && !fieldOf(error) && html`<${Failed} error=${error} />`}
      <footer>
        <span role="status">${busy && (progress || "Working …")}</span>
        <button type="button" onClick=${close} disabled=${busy}>${its.leave}</button>
        <button class=${its.danger ? "danger" : "primary"} disabled=${busy}>${its.verb}</button>
      </footer>
    </form>
  </dialog>`;
}

let asked = 0;
const keys = new WeakMap();
/// A question is a form of its own, not the last one with other words.
function keyOf(its) {
  if (!keys.has(its)) keys.set(its, ++asked);
  return keys.get(its);
}

export function Actions() {
  const its = useStore(question);
  const shown = useStore(notices);
  return html`${its && html`<${Question} key=${keyOf(its)} its=${its} />`}
    <div class="notices" role="status">${shown.map((one) => html`<p key=${one.id}>${one.text}</p>`)}</div>`;
}

/// `work` for each of `all`, one after the other; says how far it is. Answers how many it did and the
/// failures.
export async function forEach(all, work, progress) {
  const failures = [];
  let done = 0;
  for (const one of all) {
    progress(`${done} of ${all.length}`);
    try {
      await work(one);
      ++done;
    } catch (error) {
      failures.push(error);
      if (error.slug === undefined) break; // the server is gone; the others would fail like this one
    }
  }
  return { done, failures };
}

/// What to say of it; throws where nothing was done.
export function summary({ done, failures }, verb) {
  if (done === 0 && failures.length > 0) throw failures[0];
  const failed = failures.length === 0 ? "" : `; ${failures.length} not: ${failures[0].message}`;
  return `${done} ${verb}${failed}`;
}
