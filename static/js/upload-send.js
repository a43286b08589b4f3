// Sends files one by one, four at a time. What arrived stays; what did not is tried again; sending
// twice does no harm, since the server recognises what it has.

const AT_ONCE = 4;
const TRIES = 4;
const WAIT_MS = 700;

function csrfToken() {
  return decodeURIComponent(document.cookie.match(/(?:^|; )csrftoken=([^;]+)/)?.[1] ?? "");
}

function request(method, address, body, type, onProgress) {
  return new Promise((done) => {
    const call = new XMLHttpRequest();
    call.open(method, address);
    call.setRequestHeader("Accept", "application/json");
    call.setRequestHeader("X-CSRFToken", csrfToken());
    if (type) call.setRequestHeader("Content-Type", type);
    call.upload.addEventListener("progress", (event) => onProgress?.(event.loaded));
    call.addEventListener("load", () => {
      let answer = {};
      try {
        answer = JSON.parse(call.responseText);
      } catch {
        // A page instead of an answer, from something between us and the server.
      }
      done({ status: call.status, answer });
    });
    for (const event of ["error", "abort", "timeout"]) {
      call.addEventListener(event, () => done({ status: 0, answer: {} }));
    }
    call.send(body ?? null);
  });
}

export async function begin(address) {
  return request("POST", address, JSON.stringify({ attested: true }), "application/json");
}

export async function end(address) {
  return request("POST", address);
}

function isPassing(status) {
  return status === 0 || status === 429 || status >= 500;
}

async function sendOne(address, job, changed) {
  let body;
  try {
    body = await job.file.whole();
  } catch (error) {
    return { status: 422, answer: { detail: `This file cannot be read: ${error.message}` } };
  }
  const type = job.file.zipped ? "application/zip" : "application/dicom";
  for (let attempt = 1; ; attempt += 1) {
    const answer = await request("POST", address, body, type, (loaded) => {
      job.loaded = loaded;
      changed();
    });
    if (!isPassing(answer.status) || attempt === TRIES) return answer;
    await new Promise((go) => setTimeout(go, WAIT_MS * 2 ** (attempt - 1)));
  }
}

/**
 * Send jobs and tell of every change.
 * @param {string} address where objects are posted to
 * @param {object[]} jobs with `file`; each gets `state` (waiting, running, done, refused, failed),
 *   `loaded`, `results` and `why`
 * @param {() => void} changed
 * @returns {{finished: Promise<void>, pause: (stopped: boolean) => void}}
 */
export function send(address, jobs, changed) {
  let paused = null;
  let resume = () => {};

  async function work() {
    for (;;) {
      if (paused) await paused;
      const job = jobs.find((one) => one.state === "waiting");
      if (!job) return;
      job.state = "running";
      changed();
      settle(job, await sendOne(address, job, changed));
      changed();
    }
  }

  return {
    finished: Promise.all(Array.from({ length: AT_ONCE }, work)).then(() => {}),
    pause(stopped) {
      if (stopped) paused = new Promise((go) => (resume = go));
      else {
        paused = null;
        resume();
      }
    },
  };
}

function settle(job, { status, answer }) {
  job.results = answer.results ?? [];
  job.why = answer.detail ?? "";
  if (status === 200) job.state = "done";
  else if (status === 409 || status === 422) job.state = "refused";
  else {
    job.state = "failed";
    if (status === 401 || status === 403) job.why ||= "You are no longer signed in, or may not send.";
    job.why ||= "The server could not be reached.";
  }
}
