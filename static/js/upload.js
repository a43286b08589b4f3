// The page for sending studies: choose, look, attest, send. The plain form does without all this.

import { peek, readableName } from "./dicom-peek.js";
import { fromDrop, fromInput } from "./upload-files.js";
import { begin, end, send } from "./upload-send.js";

const root = document.getElementById("upload");
const $ = (id) => document.getElementById(id);
const WHY_SKIPPED = {
  "not-dicom": "not a DICOM file",
  dicomdir: "an index of a disc, which is made anew on download",
  nameless: "it lacks an identifier that every DICOM object must have",
  broken: "its header cannot be read",
};

let files = [];
let skipped = [];
let jobs = [];
let sending = null;
let uploadId = root.dataset.upload ?? "";

// Small words --------------------------------------------------------------------------------
function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key in element) element[key] = value;
    else element.setAttribute(key, value);
  }
  element.append(...children);
  return element;
}

function bytes(count) {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let unit = 0;
  while (count >= 1000 && unit < units.length - 1) {
    count /= 1000;
    unit += 1;
  }
  return `${count < 10 && unit ? count.toFixed(1) : Math.round(count)} ${units[unit]}`;
}

function plural(count, word) {
  return `${count} ${word}${count === 1 ? "" : "s"}`;
}

function day(text) {
  const [, year, month, date] = text.match(/^(\d{4})\.?(\d\d)\.?(\d\d)$/) ?? [];
  if (!year) return text;
  const value = new Date(Date.UTC(year, month - 1, date));
  return value.toLocaleDateString("en-GB", { day: "numeric", month: "short", year: "numeric", timeZone: "UTC" });
}

// Looking at what was chosen -----------------------------------------------------------------
async function look(listed) {
  const known = new Set(files.map((file) => file.path));
  const fresh = (await listed).filter((file) => !known.has(file.path));
  for (const [index, file] of fresh.entries()) {
    if (index % 20 === 0) {
      $("upload-status").textContent = `Looking at ${index + 1} of ${fresh.length} …`;
      await new Promise((go) => setTimeout(go));
    }
    if (file.zipped) {
      files.push({ ...file, about: null, wanted: true });
      continue;
    }
    try {
      files.push({ ...file, about: await peek(file.start, file.size), wanted: true });
    } catch (error) {
      skipped.push({ path: file.path, why: WHY_SKIPPED[error.message] ?? WHY_SKIPPED.broken });
    }
  }
  $("upload-status").textContent = fresh.length
    ? `${plural(files.length, "file")} to send, ${skipped.length} left out.`
    : "Nothing new was found there.";
  show();
}

function grouped(list, key) {
  const groups = new Map();
  for (const one of list) {
    const name = key(one);
    groups.set(name, [...(groups.get(name) ?? []), one]);
  }
  return groups;
}

// What one patient's identifier must not be: two names, or two birth dates (C06).
function doubtsOf(list) {
  const seen = list.filter((file) => file.about);
  const key = (about) => `${about.issuer}\u001f${about.id}`;
  const people = grouped(seen, (file) => `${key(file.about)}\u001f${readableName(file.about.name)}`);
  const doubts = [];
  if (people.size > 1) {
    const names = [...people.values()].map(([file]) => readableName(file.about.name) || "no name given");
    const shown = names.slice(0, 6).join("; ") + (names.length > 6 ? " …" : ".");
    doubts.push(`These files are of ${people.size} patients: ${shown}`);
  }
  for (const group of grouped(seen, (file) => key(file.about)).values()) {
    const names = new Map(group.map((file) => [file.about.name.toLowerCase(), readableName(file.about.name) || "no name"]));
    const births = new Set(group.map((file) => file.about.birthDate).filter(Boolean));
    const { id } = group[0].about;
    if (!id) continue;
    if (names.size > 1) doubts.push(`The ID ${id} has ${names.size} names: ${[...names.values()].join("; ")}.`);
    if (births.size > 1) doubts.push(`The ID ${id} has ${births.size} dates of birth.`);
  }
  return doubts;
}

// The review ---------------------------------------------------------------------------------
function show() {
  const studies = grouped(files.filter((file) => file.about), (file) => file.about.study);
  $("upload-found").replaceChildren(
    ...studyTable([...studies.values()]),
    ...archivePanel(files.filter((file) => !file.about)),
  );
  showDoubts();
  showSkipped();
  $("upload-review").hidden = !files.length && !skipped.length;
  showTotal();
}

function studyTable(studies) {
  if (!studies.length) return [];
  const words = ["Send", "Series", "Modality"].map((word) => make("th", { scope: "col" }, word));
  const numbers = ["Files", "Size"].map((word) => make("th", { scope: "col", className: "number" }, word));
  const table = make(
    "table",
    { className: "table table-cards table-dense found" },
    make("caption", {}, `${studies.length === 1 ? "1 study" : `${studies.length} studies`} found. Untick what is not to be sent.`),
    make("thead", {}, make("tr", {}, ...words, ...numbers)),
    ...studies.map(studyGroup),
  );
  return [make("div", { className: "table-wrap" }, table)];
}

function studyGroup(list) {
  const { about } = list[0];
  const title = about.studyTitle || "Study without a description";
  const facts = [
    about.id ? `ID ${about.id}` : "no ID",
    about.birthDate && `born ${day(about.birthDate)}`,
    title,
    about.studyDate && day(about.studyDate),
  ];
  const series = grouped(list, (file) => file.about.series);
  return make(
    "tbody",
    {},
    make(
      "tr",
      { className: "found-study" },
      make(
        "th",
        { scope: "rowgroup", colSpan: 5 },
        readableName(about.name) || "No name given",
        make("span", { className: "hint" }, ` ${facts.filter(Boolean).join(" · ")}`),
      ),
    ),
    ...[...series.values()].map((group) => seriesRow(group, title)),
  );
}

function seriesRow(group, study) {
  const { about } = group[0];
  const name = about.seriesTitle || "Series without a description";
  const tick = make("input", { type: "checkbox", checked: group[0].wanted, "aria-label": `Send ${name} of ${study}` });
  tick.addEventListener("change", () => {
    for (const file of group) file.wanted = tick.checked;
    showDoubts();
    showTotal();
  });
  const size = group.reduce((sum, file) => sum + file.size, 0);
  return make(
    "tr",
    {},
    make("td", { "data-label": "Send" }, make("label", { className: "choice" }, tick)),
    make("td", { "data-label": "Series" }, (about.seriesNumber ? `${about.seriesNumber}. ` : "") + name),
    make("td", { "data-label": "Modality" }, about.modality || "–"),
    make("td", { className: "number", "data-label": "Files" }, String(group.length)),
    make("td", { className: "number", "data-label": "Size" }, bytes(size)),
  );
}

function archivePanel(archives) {
  if (!archives.length) return [];
  const names = archives.map((file) => make("li", {}, `${file.path}, ${bytes(file.size)}`));
  return [
    make(
      "section",
      { className: "panel" },
      make("h2", {}, "Archives that are sent whole"),
      make("p", {}, "They cannot be opened here. The server opens them and tells what it found."),
      make("ul", {}, ...names),
    ),
  ];
}

function showDoubts() {
  const doubts = doubtsOf(files.filter((file) => file.wanted));
  const text = doubts.join("\n");
  const before = $("upload-doubts").dataset.text ?? "";
  if (text === before) return;
  $("upload-doubts").dataset.text = text;
  $("upload-doubts").replaceChildren();
  if (!doubts.length) return;
  const tick = make("input", { type: "checkbox", id: "doubts-seen" });
  $("upload-doubts").append(
    make(
      "div",
      { className: "alert alert-bad", role: "alert" },
      make("h2", {}, "Is that what you mean to send?"),
      make("ul", {}, ...doubts.map((one) => make("li", {}, one))),
      make("label", { className: "choice" }, tick, make("span", {}, "I have looked at this, and it is right.")),
    ),
  );
}

function showSkipped() {
  const box = $("upload-skipped");
  box.hidden = !skipped.length;
  box.querySelector("summary").textContent = `${plural(skipped.length, "file")} will not be sent`;
  box.querySelector("ul").replaceChildren(...skipped.slice(0, 500).map((one) => make("li", {}, `${one.path}: ${one.why}`)));
}

function showTotal() {
  const wanted = files.filter((file) => file.wanted);
  const size = wanted.reduce((sum, file) => sum + file.size, 0);
  $("upload-total").textContent = `${plural(wanted.length, "file")}, ${bytes(size)}`;
  $("upload-send").disabled = !wanted.length;
}

// Sending ------------------------------------------------------------------------------------
function whyNot() {
  const doubts = $("doubts-seen");
  if (doubts && !doubts.checked) return [doubts, "Look at the doubts above and confirm them first."];
  if (!$("attested").checked) return [$("attested"), "Confirm that you are allowed to send these images."];
  return null;
}

async function start() {
  const refusal = whyNot();
  $("upload-why-not").textContent = refusal ? refusal[1] : "";
  if (refusal) return refusal[0].focus();
  $("upload-send").disabled = true;
  if (!uploadId) {
    const { status, answer } = await begin(root.dataset.uploads);
    if (status !== 201) {
      $("upload-why-not").textContent = answer.detail ?? "The server could not be reached. Try again.";
      $("upload-send").disabled = false;
      return undefined;
    }
    uploadId = answer.id;
    history.replaceState(null, "", `${root.dataset.page}${uploadId}/`);
  }
  jobs = files.filter((file) => file.wanted).map((file) => ({ file, state: "waiting", loaded: 0, results: [], why: "" }));
  for (const id of ["upload-review", "upload-form"]) $(id).hidden = true;
  $("upload-status").textContent = "";
  $("upload-progress").hidden = false;
  $("sending").tabIndex = -1;
  $("sending").focus();
  return run();
}

async function run() {
  window.addEventListener("beforeunload", warn);
  $("upload-retry").hidden = true;
  $("upload-pause").hidden = false;
  sending = send(`${root.dataset.uploads}${uploadId}/objects/`, jobs, progressSoon);
  await sending.finished;
  window.removeEventListener("beforeunload", warn);
  progress();
  const failed = jobs.some((job) => job.state === "failed");
  $("upload-pause").hidden = true;
  $("upload-retry").hidden = !failed;
  if (!failed) {
    await end(`${root.dataset.uploads}${uploadId}/close/`);
    $("sending").textContent = "Sent";
  }
  $("upload-result").hidden = false;
  $("upload-result").href = `${root.dataset.page}${uploadId}/`;
}

function warn(event) {
  event.preventDefault();
}

let drawing = 0;
let missed = 0;
function progressSoon() {
  drawing ||= requestAnimationFrame(progress);
}

function progress() {
  cancelAnimationFrame(drawing);
  drawing = 0;
  const ended = (job) => ["done", "refused"].includes(job.state);
  const size = jobs.reduce((sum, job) => sum + job.file.size, 0);
  const sent = jobs.reduce((sum, job) => sum + (ended(job) ? job.file.size : Math.min(job.loaded, job.file.size)), 0);
  $("upload-bar").value = size ? sent / size : 1;
  const results = jobs.flatMap((job) => job.results);
  const count = (status) => results.filter((one) => one.status === status).length;
  const failed = jobs.filter((job) => job.state === "failed").length;
  const refused = misses();
  const words = [
    `${jobs.filter(ended).length} of ${plural(jobs.length, "file")}, ${bytes(sent)} of ${bytes(size)}`,
    `${count("stored")} stored`,
    count("repeated") && `${count("repeated")} there already`,
    count("held") && `${count("held")} held for a look`,
    refused.length > failed && `${refused.length - failed} not taken`,
    failed && `${failed} failed, and can be tried again`,
  ];
  $("upload-counts").textContent = `${words.filter(Boolean).join(" · ")}.`;
  $("upload-running").replaceChildren(...jobs.filter((job) => job.state === "running").map(runningRow));
  $("upload-refused").hidden = !refused.length;
  if (refused.length !== missed) {
    missed = refused.length;
    $("upload-refused").querySelector("ul").replaceChildren(...[...grouped(refused, (one) => one.why)].map(missedRow));
  }
}

function runningRow(job) {
  const bar = make("progress", { max: job.file.size || 1, value: job.loaded, "aria-label": job.file.path });
  return make("li", {}, bar, `${job.file.path}, ${bytes(job.file.size)}`);
}

// Each refused or failed file with its sentence; an archive may hold several.
function misses() {
  return jobs.flatMap((job) => {
    if (job.state === "failed") return [{ name: job.file.path, why: job.why }];
    const bad = job.results.filter((one) => ["refused", "conflict"].includes(one.status));
    if (!bad.length && job.state === "refused") return [{ name: job.file.path, why: job.why }];
    return bad.map((one) => ({
      name: job.file.zipped && one.name ? `${job.file.path}, ${one.name}` : job.file.path,
      why: one.sentence,
    }));
  });
}

function missedRow([why, list]) {
  const names = make("ul", {}, ...list.slice(0, 500).map((one) => make("li", {}, one.name)));
  const summary = make("summary", {}, `${plural(list.length, "file")}: ${why}`);
  return make("li", {}, make("details", { open: list.length <= 5 }, summary, names));
}

// Wiring -------------------------------------------------------------------------------------
function wire() {
  const drop = $("upload-drop");
  $("upload-plain").remove();
  drop.hidden = false;
  for (const id of ["pick-folder", "pick-files"]) {
    $(id).addEventListener("change", () => look(fromInput($(id).files)));
  }
  for (const name of ["dragenter", "dragover"]) {
    drop.addEventListener(name, (event) => {
      event.preventDefault();
      drop.classList.add("drop-over");
    });
  }
  for (const name of ["dragleave", "drop"]) drop.addEventListener(name, () => drop.classList.remove("drop-over"));
  drop.addEventListener("drop", (event) => {
    event.preventDefault();
    look(fromDrop(event.dataTransfer));
  });
  $("upload-form").addEventListener("submit", (event) => event.preventDefault());
  $("upload-send").addEventListener("click", start);
  $("upload-pause").addEventListener("click", () => {
    const stopping = $("upload-pause").textContent === "Pause";
    sending.pause(stopping);
    $("upload-pause").textContent = stopping ? "Go on" : "Pause";
  });
  $("upload-retry").addEventListener("click", () => {
    for (const job of jobs) if (job.state === "failed") Object.assign(job, { state: "waiting", loaded: 0, why: "" });
    run();
  });
}

wire();
