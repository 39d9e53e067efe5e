// Sends a file in segments and goes on where it stopped. Without this script the form sends it in one piece.

const SEGMENT = 4 * 2 ** 20;
const LONGEST_WAIT = 30;
const NAME_IN_ZIP = 30;
const FIRST_OF_SEALED = "seal.json";
const AGAIN = [408, 425, 429, 500, 502, 503, 504];

const form = document.getElementById("upload");
const texts = form.dataset;
const panel = document.getElementById("progress");
const bar = panel.querySelector("progress");
const button = form.querySelector("button");
const [stage, amount, pause, resume] = ["stage", "amount", "pause", "resume"].map((id) => document.getElementById(id));
const language = document.documentElement.lang;
const numbers = new Intl.NumberFormat(`${language}-u-nu-latn`, { maximumFractionDigits: 1 });
const hashes = new WeakMap();
let stop = new AbortController();

class Refused extends Error {}

function show(done, all) {
  bar.max = all;
  bar.value = done;
  const [first, second] = [done, all].map((bytes) => numbers.format(bytes / 1e6));
  amount.textContent = texts.amount.replace("{done}", first).replace("{all}", second);
}

function say(text) {
  if (stage.textContent !== text) stage.textContent = text;
}

async function ask(url, options) {
  const headers = { "X-CSRF": form.elements.csrf.value, "Accept-Language": language, ...options.headers };
  const answer = await fetch(url, { ...options, headers, signal: stop.signal, redirect: "error" });
  if (answer.ok || answer.status === 409) return answer;
  if (AGAIN.includes(answer.status)) throw new Error(answer.statusText);
  throw await refusal(answer);
}

async function refusal(answer) {
  const told = await answer.json().catch(() => ({}));
  return new Refused([told.title, told.hint].filter(Boolean).join(". ") || texts.refused);
}

// Repeats what a broken connection stopped, with growing pauses; a refusal is final.
async function patiently(work) {
  for (let seconds = 1; ; seconds = Math.min(seconds * 2, LONGEST_WAIT)) {
    try {
      return await work();
    } catch (problem) {
      stop.signal.throwIfAborted();
      if (problem instanceof Refused) throw problem;
      say(texts.waiting);
      await new Promise((done) => { setTimeout(done, seconds * 1000); });
      stop.signal.throwIfAborted();
    }
  }
}

function hashed(file) {
  if (hashes.has(file)) return hashes.get(file);
  say(texts.hashing);
  const worker = new Worker(texts.worker, { type: "module" });
  return new Promise((done, failed) => {
    worker.addEventListener("message", ({ data }) => {
      if (data.failed) failed(new Refused(texts.unreadable));
      if (data.done) show(data.done, file.size);
      if (data.sha256) done(data.sha256);
    });
    worker.addEventListener("error", () => failed(new Refused(texts.refused)));
    stop.signal.addEventListener("abort", () => failed(stop.signal.reason));
    worker.postMessage(file);
  }).then((sha256) => {
    hashes.set(file, sha256);
    return sha256;
  }).finally(() => worker.terminate());
}

// Both kinds are zips; that of a sealed file begins with its head.
async function kindOf(file) {
  const name = await file.slice(NAME_IN_ZIP, NAME_IN_ZIP + FIRST_OF_SEALED.length).text();
  return name === FIRST_OF_SEALED ? "sealed" : "raw";
}

async function begin(file) {
  const announced = { size: file.size, sha256: await hashed(file), kind: await kindOf(file) };
  const options = {
    method: "POST", body: JSON.stringify(announced), headers: { "Content-Type": "application/json" },
  };
  const answer = await patiently(() => ask("/api/uploads", options));
  if (!answer.ok) throw await refusal(answer);
  return answer;
}

async function offsetOf(place) {
  return Number((await ask(place, { method: "HEAD" })).headers.get("Upload-Offset"));
}

async function sendSegment(place, file, offset) {
  const answer = await ask(place, {
    method: "PATCH",
    body: file.slice(offset, offset + SEGMENT),
    headers: { "Content-Type": "application/offset+octet-stream", "Upload-Offset": String(offset) },
  });
  return answer.ok ? Number(answer.headers.get("Upload-Offset")) : offsetOf(place);
}

async function send(file) {
  show(0, file.size);
  const begun = await begin(file);
  const place = new URL(begun.headers.get("Location"), window.location.href).pathname;
  let offset = Number(begun.headers.get("Upload-Offset"));
  while (offset < file.size) {
    say(texts.sending);
    show(offset, file.size);
    const from = offset;
    // After a cut the server knows best how much of the segment has come.
    let cut = false;
    offset = await patiently(async () => {
      const start = cut ? await offsetOf(place) : from;
      cut = true;
      return start < file.size ? sendSegment(place, file, start) : start;
    });
  }
  show(file.size, file.size);
  say(texts.sent);
  return place.split("/").pop();
}

function warn(event) {
  event.preventDefault();
}

function busy(is) {
  button.disabled = is;
  pause.hidden = !is;
  window[is ? "addEventListener" : "removeEventListener"]("beforeunload", warn);
}

async function start() {
  stop = new AbortController();
  panel.hidden = false;
  panel.classList.remove("problem");
  resume.hidden = true;
  busy(true);
  try {
    const id = await send(form.elements.file.files[0]);
    busy(false);
    window.location.assign(texts.then.replace("{id}", id));
  } catch (problem) {
    busy(false);
    if (stop.signal.aborted) return;
    panel.classList.add("problem");
    say(problem instanceof Refused ? problem.message : texts.refused);
  }
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  start();
});
pause.addEventListener("click", () => {
  stop.abort();
  say(texts.paused);
  resume.hidden = false;
  resume.focus();
});
resume.addEventListener("click", () => {
  start();
  pause.focus();
});
